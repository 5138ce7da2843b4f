"""The shared pool: claim, assign and release, the rules of a claim, members and workload."""
