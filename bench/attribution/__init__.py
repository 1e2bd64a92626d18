"""What attribution costs beside the library that explains, how exact it is, and how often it rings for nothing."""
