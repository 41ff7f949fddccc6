"""Speaks HTTP and Tornado: from a request to credentials, and from a verdict to an answer."""
