"""Bulk writes: many records of one kind in one transaction, by the rules, rights and guards of single writes."""
