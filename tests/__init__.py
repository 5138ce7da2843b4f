"""The tests, in packages as the code; helpers stand in `support`."""
