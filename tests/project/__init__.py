"""Tests of the project itself: layout, docs, requirements."""
