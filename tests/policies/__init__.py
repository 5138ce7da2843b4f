"""Tests of policy lines, cells and clauses."""
