"""The operation log: entries, parts of records, seals as proof, tables that only grow."""
