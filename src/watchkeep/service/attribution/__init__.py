"""Attribution, as the use cases meet it: models asked and explained, baselines learned, windows checked."""
