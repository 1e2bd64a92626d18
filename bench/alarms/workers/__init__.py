"""Scripts that other tools' interpreters run: no import of this project but `common`."""
