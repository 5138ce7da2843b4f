"""Imports: what sheets bring into which entity, and which of their columns holds which field."""
