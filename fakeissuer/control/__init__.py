"""The control plane below ``/_fake/``, with which tests control the issuer."""
