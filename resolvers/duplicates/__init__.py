"""Duplicates: whether a customer or a contact is there already, asked while typing and once more at save."""
