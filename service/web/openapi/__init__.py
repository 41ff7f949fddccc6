"""Describes what is mounted to people and programs, as an OpenAPI 3.1 document and as a page that tries it."""
