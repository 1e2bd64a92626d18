"""What the gateway costs: beside a bare proxy in Python, and beside nginx."""
