"""Error responses: those of a handler that may run its own code, and those before any of it has run."""
