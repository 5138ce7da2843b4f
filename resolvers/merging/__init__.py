"""Merging customers that are one and the same, and undoing it."""
