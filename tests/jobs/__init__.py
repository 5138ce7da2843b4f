"""Background jobs: enqueueing, running, schedules, and what users do with them."""
