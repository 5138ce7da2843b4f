"""Real time: who waits for changes, what they are told, and by which rights."""
