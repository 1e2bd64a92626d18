"""Why a window differs: what moved, among what the model uses; data bugs by name."""
