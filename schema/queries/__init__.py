"""The query fields, a module per capability."""
