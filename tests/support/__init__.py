"""What tests share: worlds, databases, doors, browsers."""
