"""Code that the endpoint handlers share."""
