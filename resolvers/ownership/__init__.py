"""Who owns a customer: periods, quota, capacity, assignees, and the records that follow an owner."""
