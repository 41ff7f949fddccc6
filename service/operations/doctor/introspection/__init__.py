"""The checks of ``check`` for the introspection endpoint of an issuer."""
