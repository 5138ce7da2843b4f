"""Personal data: what is held of one person, and its erasure."""
