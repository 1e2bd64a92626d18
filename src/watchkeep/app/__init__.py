"""The composition root: settings in, wired use cases out."""
