"""Tests of pages, search and the read side."""
