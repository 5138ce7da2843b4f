"""Saved views: lists as users have arranged them, kept under a name and shared."""
