"""Profiles: the documents, paths and tokens of one authorization server each, Okta first."""
