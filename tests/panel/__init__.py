"""Tests of the admin panel."""
