"""How near estimates of quality come that need no labels: `python -m bench.estimates`."""
