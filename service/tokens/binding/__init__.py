"""Proof of possession of the key of a token: DPoP, client certificates, and the claim ``cnf``."""
