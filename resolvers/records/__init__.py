"""What every kind of record has in common: create, update, recycle bin, numbers, dictionaries."""
