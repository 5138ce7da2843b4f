"""The kit: what every screen has in common.  It knows models, use cases and sqladmin, and holds no rule."""
