"""Immutable data: registered servers, clients and users, the claims of their tokens, names, URLs and profiles."""
