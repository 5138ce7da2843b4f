"""The reports, one file each: the centre finds them here."""
