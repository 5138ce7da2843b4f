"""Screens about the system: policy, operation log, recycle bin, one's own account."""
