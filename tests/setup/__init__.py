"""Tests of installation, migrations and invariants."""
