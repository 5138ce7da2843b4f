"""Tests of guards, writer and prepared statements."""
