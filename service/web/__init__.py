"""Speaks HTTP and Tornado: from a request to credentials, and from a principal or an error to a response."""
