"""Detectors of data bugs: each knows one way in which data go wrong, and names it."""
