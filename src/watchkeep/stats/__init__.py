"""Pure functions on arrays: hashes, distances, tests. They know nothing of columns or baselines."""
