"""Tests of the operation log."""
