"""Helpers of the tests: the small world, databases, GraphQL, panel, terminal and browser."""
