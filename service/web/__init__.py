"""Speaks HTTP and Tornado: from a request to credentials, and from a validated to an answer."""
