"""Judges what can be judged here, and asks the issuer about the rest."""

from __future__ import annotations

from service.settings.issuers import TrustedIssuer
from service.tokens.issuer_identifier import is_okta_org_server
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import introspection, jwt
from service.validators.base import Validator, ValidatorContext
from service.validators.introspection import IntrospectionValidator
from service.validators.jwt import JWTValidator


class AutoValidator:
    """Chooses for each token: one that is no JWT, or one of an Okta org server, only its issuer can judge.

    Args:
        introspection: Asks the issuer; None where we have no credentials there.
    """

    def __init__(self, *, jwt: JWTValidator, introspection: IntrospectionValidator | None) -> None:
        self._jwt = jwt
        self._introspection = introspection

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return who the token speaks for."""
        asked = self._introspection
        if asked is not None and (token.jws is None or token.jws.header.is_of_okta_org_token):
            return await asked.validate(token)
        return await self._jwt.validate(token)

    async def check_ready(self) -> None:
        """Return when both ways are open, where there are two."""
        await self._jwt.check_ready()
        if self._introspection is not None:
            await self._introspection.check_ready()

    async def close(self) -> None:
        """Abandon what is being asked."""
        await self._jwt.close()
        if self._introspection is not None:
            await self._introspection.close()


def build(issuer: TrustedIssuer, context: ValidatorContext) -> Validator:
    """Return the validator for one issuer; an Okta org's keys verify nothing that is meant for others."""
    if is_okta_org_server(issuer.issuer):
        return introspection.build(issuer, context)
    asked = introspection.build(issuer, context) if issuer.client is not None else None
    return AutoValidator(jwt=jwt.build(issuer, context), introspection=asked)
