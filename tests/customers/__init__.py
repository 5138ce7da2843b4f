"""Tests of customers and what belongs to them."""
