"""Everything below ``/_fake/``, which no real issuer has."""
