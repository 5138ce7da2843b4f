"""Screens for daily work: home, customers, contacts, activities, the pool."""
