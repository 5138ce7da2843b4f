"""Customers and what belongs to them: contacts, activities, transfer, lock."""
