"""Suggestion rules: what a baseline column promises, with the evidence and the reason."""
