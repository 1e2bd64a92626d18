"""Captures as they are stored: where they lie, and how their rows are read."""
