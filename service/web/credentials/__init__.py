"""Where a request presents its token."""
