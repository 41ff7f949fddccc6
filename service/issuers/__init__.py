"""What we know about an authorization server, and how we ask it."""
