"""Tests of policy drafts, drift and explanations."""
