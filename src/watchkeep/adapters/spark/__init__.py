"""Reads sources on a Spark cluster: its executors fold parts, and their states come back."""
