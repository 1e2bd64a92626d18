"""What runs in other tools' environments; imports nothing of this project."""
