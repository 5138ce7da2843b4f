"""New customers for rows that name a company which is not there: a contact, a follow-up, an opportunity."""

from models import Customer

from .fields import ImportField


def names_customers(field: ImportField) -> bool:
    """Whether cells of this field name the customer of their row by its name."""
    return field.reference is Customer and field.input == "customer_id" and "name" in field.by
