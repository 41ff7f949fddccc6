"""Validates JWTs locally and introspects every other token."""

from __future__ import annotations

from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import introspection, jwt
from service.validators.base import Validator, ValidatorContext
from service.validators.introspection import IntrospectionValidator
from service.validators.jwt import JWTValidator


class AutoValidator:
    """Introspects opaque tokens and those of an Okta org server, which only their issuer can validate."""

    def __init__(self, *, jwt: JWTValidator, introspection: IntrospectionValidator) -> None:
        self.jwt_issuer = jwt.jwt_issuer
        self._jwt = jwt
        self._introspection = introspection

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token, or None if the token is of another issuer."""
        if token.jws is None or token.jws.header.is_of_okta_org_token:
            return await self._introspection.validate(token)
        return await self._jwt.validate(token)

    async def check_ready(self) -> None:
        """Return if both validators are ready.

        Raises:
            IssuerUnavailable: One of them is not.
        """
        await self._jwt.check_ready()
        await self._introspection.check_ready()

    async def close(self) -> None:
        """Cancel pending requests to the issuer."""
        await self._jwt.close()
        await self._introspection.close()


def build(issuer: TrustedIssuer, context: ValidatorContext) -> Validator:
    """Return the validator for one issuer: without credentials nothing can be introspected."""
    if issuer.profile.is_okta_org_server:
        return introspection.build(issuer, context)  # the keys of an Okta org verify no token for other audiences
    if issuer.client is None:
        return jwt.build(issuer, context)
    return AutoValidator(jwt=jwt.build(issuer, context), introspection=introspection.build(issuer, context))
