"""Requirements of a handler on its callers."""
