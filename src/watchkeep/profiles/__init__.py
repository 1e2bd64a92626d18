"""One pass over the rows: every column is decoded once and gives all its states."""
