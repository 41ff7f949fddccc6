"""The OpenAPI 3.1 document of the mounted routes, and the HTML page that shows it and sends requests."""
