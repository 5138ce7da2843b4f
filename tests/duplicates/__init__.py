"""Duplicates: found while typing, held up at save, told without what the asker may not know."""
