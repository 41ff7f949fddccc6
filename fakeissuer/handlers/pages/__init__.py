"""The pages on which a user signs in, consents and approves."""
