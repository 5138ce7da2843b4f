"""Screens about the organisation: people, pools, settings."""
