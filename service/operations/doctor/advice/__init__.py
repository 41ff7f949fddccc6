"""What to do about the most frequent mistakes with tokens and issuers."""
