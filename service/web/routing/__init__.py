"""Walks and wraps routes so that each is protected or public."""
