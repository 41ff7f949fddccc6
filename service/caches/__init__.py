"""Bounded caches of validated tokens and introspection responses, and the deny list."""
