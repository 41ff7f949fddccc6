"""The handlers that come with the service."""
