"""The OAuth rules, without HTTP: client authentication, grants, scopes, issuing, introspection, registration."""
