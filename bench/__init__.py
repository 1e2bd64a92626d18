"""What Watchkeep costs, next to only decoding the same columns: `python -m bench`."""
