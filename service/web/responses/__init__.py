"""The headers and bodies of error responses: challenge, CORS, resource metadata URL."""
