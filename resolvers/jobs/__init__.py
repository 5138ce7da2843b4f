"""Background jobs: their kinds, the queue, one chunk at a time, schedules, and what users do with them."""
