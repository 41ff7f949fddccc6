"""Keys, signatures and their encoding."""
