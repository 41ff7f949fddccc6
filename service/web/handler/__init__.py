"""``BearerAuthMixin``: authenticate, authorize, error responses, token lifetime."""
