"""Tests of the life cycle of customers as a whole."""
