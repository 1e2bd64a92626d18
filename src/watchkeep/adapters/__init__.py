"""The world outside: implements what the use cases need of files, memory and databases."""
