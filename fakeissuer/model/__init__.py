"""Registered servers, clients and users, and the claims of their tokens."""
