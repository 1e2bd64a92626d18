"""What was learned from the reference data: states, and limits with their reasons."""
