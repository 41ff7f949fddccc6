"""Logging of the program: lines as text or JSON, the access log, and errors that bypass ``logging``."""
