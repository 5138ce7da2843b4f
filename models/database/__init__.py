"""Both databases: engines, prepared statements, the read side, the flush."""
