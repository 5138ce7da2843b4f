"""Subscription fields, one file per capability."""
