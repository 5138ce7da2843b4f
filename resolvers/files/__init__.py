"""Files that users keep with records."""
