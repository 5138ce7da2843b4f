"""Tests of the GraphQL API and of compiled reads."""
