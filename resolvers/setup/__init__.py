"""What a new installation starts with, and the invariants that every installation keeps."""
