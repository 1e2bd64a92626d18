"""Limits that judge measures: data, not code."""
