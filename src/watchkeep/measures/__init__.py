"""Named numbers finished from states, one file per family."""
