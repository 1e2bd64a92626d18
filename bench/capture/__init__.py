"""What capturing costs: where models are served, in the store, and in the join with labels."""
