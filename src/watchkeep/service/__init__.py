"""The use cases, and the ports through which they meet the world."""
