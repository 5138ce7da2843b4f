"""Exports: files of records, written in the background with the rights of who asked for them."""
