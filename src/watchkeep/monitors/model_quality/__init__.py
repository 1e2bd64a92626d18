"""Does the model still answer right? Measures of its answers against labels, and estimates before labels come."""
