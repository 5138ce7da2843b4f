"""The operation log as people read it: history, redaction, seals."""
