"""Responses: status, headers and body, HTML pages, and the base class of handlers."""
