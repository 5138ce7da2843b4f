"""Imports: what sheets bring in, and which of their columns holds which field."""
