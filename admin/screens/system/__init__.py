"""Screens about the system: policy, operation log, recycle bin, the user's account."""
