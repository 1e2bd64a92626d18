"""Records what a model is asked and answers."""
