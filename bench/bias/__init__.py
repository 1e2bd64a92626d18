"""What bias costs to measure, and how often it rings on real people of whom nothing has changed."""
