"""The door of the clock: what runs by itself beside the requests."""
