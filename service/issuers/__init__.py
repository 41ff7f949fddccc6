"""Requests to an authorization server: its metadata, its key set and token introspection."""
