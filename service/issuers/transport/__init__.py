"""The connections to issuers: their pool, the proxies on the way, and the certificates that are trusted."""
