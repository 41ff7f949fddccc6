"""Everything that changes while the issuer runs."""
