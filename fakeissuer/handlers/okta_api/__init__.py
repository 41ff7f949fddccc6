"""Okta's management and authentication APIs, as far as tests need them."""
