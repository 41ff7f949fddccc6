"""Ways to judge a token: one file is one way, and its name is its kind in the settings."""
