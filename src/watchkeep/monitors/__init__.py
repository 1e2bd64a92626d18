"""The monitors: each is measures, suggestion rules and constraints."""
