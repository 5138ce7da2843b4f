"""The mutations, a module per capability."""
