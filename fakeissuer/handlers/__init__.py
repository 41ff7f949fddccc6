"""The HTTP handlers of the endpoints, pages and APIs that imitate Okta."""
