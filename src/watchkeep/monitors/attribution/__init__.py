"""Feature attribution: which features a model's answers rest on, and whether that has changed."""
