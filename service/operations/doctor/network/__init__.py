"""The checks of ``check`` for the way to an issuer: names, the proxy and certificates."""
