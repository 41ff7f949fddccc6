"""Validates tokens by introspection (RFC 7662), and checks the claims in the response like those of a JWT."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Mapping
from functools import partial
from typing import Any

from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.issuers.issuer import Issuer
from service.settings.issuers import TrustedIssuer
from service.tokens.claim_rules import REQUIRED_OF_JWT, ClaimRules
from service.tokens.claims import check_claims
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators.base import ValidatorContext
from service.validators.jwt import rules_for

_AT_OKTA = re.compile(r"^/oauth2(/[^/]+)?/v1/introspect$")
_TOKEN_TYPES = frozenset({"bearer", "dpop", "access_token"})
_TOKEN_USES = frozenset({"access", "access_token"})


class IntrospectionValidator:
    """Validates the tokens of one issuer, opaque ones and JWTs, and rejects revoked ones.

    An opaque token does not name its issuer. This validator treats each as one of its own issuer, so that the
    token is not sent to other issuers as well.
    """

    def __init__(self, *, rules: ClaimRules, issuer: Issuer, clock: Clock, token_cache: ValidatedTokenCache) -> None:
        self._rules = rules
        self._issuer = issuer
        self._endpoint = issuer.introspection
        self._cache = issuer.introspection_cache
        self._clock = clock
        self._token_cache = token_cache

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token, or None if the token is of another issuer.

        The token cache keeps the principal until the introspection response expires.
        """
        validated = await self.validate_uncached(token)
        return None if validated is None else self._token_cache.put(token.text, validated)

    async def validate_uncached(self, token: PresentedToken) -> ValidatedToken | None:
        """Return the validated token without storing it in the token cache, or None if it is of another issuer.

        Raises:
            InvalidToken: The token is not active, or its claims are not acceptable.
            IssuerUnavailable: Introspection failed.
        """
        if token.jws is not None and token.unverified_issuer != self._rules.issuer:
            return None
        document, expires_at = await self._cache.get(token.text, partial(self._endpoint.introspect, token.text))
        if document["active"] is not True:  # only the boolean counts, not the string "true"
            raise InvalidToken(Reason.INACTIVE, f"introspection returned active: {document['active']!r}"[:80])
        _check_token_type(document)
        rules = dataclasses.replace(self._rules, required=await self._required())
        check_claims(document, rules, now=self._clock.now())
        claims = {name: value for name, value in document.items() if name != "active"}
        principal = Principal.from_claims(
            {"iss": rules.issuer, **claims},
            max_token_age=rules.max_token_age,
            default_expiry=self._clock.now() + max(expires_at - self._clock.monotonic(), 0.0),
            key_id=None if token.jws is None else token.jws.header.kid,
        )
        return ValidatedToken(principal, partial(self._is_before, expires_at))

    async def check_ready(self) -> None:
        """Return if tokens can be introspected.

        Raises:
            IssuerUnavailable: They cannot; the detail says why.
        """
        await self._endpoint.check_ready()

    async def close(self) -> None:
        """Cancel pending requests to the issuer."""
        await self._issuer.close()

    async def _required(self) -> frozenset[str]:
        """Return the claims that a response must have.

        Okta reports refresh tokens as active too, without these claims; its responses for access tokens have them.
        """
        path = urllib.parse.urlsplit(await self._endpoint.endpoint()).path
        return REQUIRED_OF_JWT if _AT_OKTA.match(path) else frozenset()

    def _is_before(self, expires_at: float) -> bool:
        return self._clock.monotonic() < expires_at


def _check_token_type(document: Mapping[str, Any]) -> None:
    """Reject an active token that the response marks as another kind, such as a refresh token."""
    token_type, token_use = document.get("token_type", "bearer"), document.get("token_use", "access")
    if str(token_type).lower() not in _TOKEN_TYPES or str(token_use) not in _TOKEN_USES:
        detail = "introspection returned another kind of token"
        raise InvalidToken(Reason.UNSUPPORTED_TYPE, detail, claim="token_type")


def build(issuer: TrustedIssuer, context: ValidatorContext) -> IntrospectionValidator:
    """Return the validator for one issuer.

    Raises:
        SettingsError: The settings have no client credentials for this issuer.
    """
    return IntrospectionValidator(
        rules=rules_for(issuer), issuer=context.issuer(issuer), clock=context.clock, token_cache=context.token_cache
    )
