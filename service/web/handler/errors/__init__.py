"""Error responses, before and after the handler's own code may run, and responses to preflights."""
