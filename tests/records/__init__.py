"""Tests of what every kind of record has in common."""
