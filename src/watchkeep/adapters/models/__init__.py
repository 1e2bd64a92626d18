"""Models that can be asked for scores."""
