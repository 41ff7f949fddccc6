"""Validates tokens by introspection (RFC 7662), and checks the claims in the response like those of a JWT."""

from __future__ import annotations

import dataclasses
import logging
import re
import urllib.parse
from functools import partial
from typing import Any

from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.issuers.issuer import Issuer
from service.settings.issuers import TrustedIssuer
from service.tokens.claim_names import MISSING, find_claim
from service.tokens.claim_rules import REQUIRED_OF_JWT, ClaimRules
from service.tokens.claims import check_claims
from service.tokens.confirmation import CONFIRMATION
from service.tokens.jws import CompactJWS, check_header
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.tokens.token_kinds import check_kind, check_type
from service.validators.base import ValidatorContext
from service.validators.jwt import rules_for

_logger = logging.getLogger(__name__)

_AT_OKTA = re.compile(r"^/oauth2(/[^/]+)?/v1/introspect$")
_ZERO_EXP_SETTING = "introspection_zero_exp_is_never"
_AUDIENCE_SETTING = "insecure_accept_introspection_without_audience"
_REQUIRED_OF_LIGHTWEIGHT_JWT = frozenset({"iss", "exp"})
"""The claims of a JWT whose other claims are in the response only, as those of Keycloak's lightweight tokens."""
_REQUIRED_OF_RESPONSE = frozenset({"iat", "client_id"})


class IntrospectionValidator:
    """Validates the tokens of one issuer, opaque ones and JWTs, and rejects revoked ones.

    An opaque token does not name its issuer. This validator treats each as one of its own issuer, so that the
    token is not sent to other issuers as well.

    Args:
        accepts_without_audience: Whether a response without ``aud`` is accepted for an opaque token, and a JWT without
            ``aud`` if the response has it.
    """

    def __init__(
        self,
        *,
        rules: ClaimRules,
        issuer: Issuer,
        clock: Clock,
        token_cache: ValidatedTokenCache,
        accepts_without_audience: bool,
    ) -> None:
        self.jwt_issuer = rules.issuer
        self._rules = rules
        self._issuer = issuer
        self._endpoint = issuer.introspection
        self._cache = issuer.introspection_cache
        self._clock = clock
        self._token_cache = token_cache
        self._accepts_without_audience = accepts_without_audience
        self._has_logged_missing_audience = False

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token, or None if the token is of another issuer.

        The token cache keeps the principal until the introspection response expires.
        """
        validated = await self.validate_uncached(token)
        return None if validated is None else self._token_cache.put(token.text, validated)

    async def validate_uncached(self, token: PresentedToken) -> ValidatedToken | None:
        """Return the validated token without storing it in the token cache, or None if it is of another issuer.

        A malformed JWT gives None as well: no issuer has issued it.

        Raises:
            InvalidToken: The token is not active, or its claims are not acceptable.
            IssuerUnavailable: Introspection failed.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        if token.is_malformed_jwt or (token.jws is not None and token.unverified_issuer != self._rules.issuer):
            return None
        own = None if token.jws is None else self._check_jwt(token.jws, token.unverified_claims)
        document, expires_at = await self._cache.get(token.text, lambda: self._introspect(token))
        if document["active"] is not True:  # only the boolean counts, not the string "true"
            raise InvalidToken(Reason.INACTIVE, f"introspection returned active: {document['active']!r}"[:80])
        claims = {name: value for name, value in document.items() if name != "active"}
        if self._accepts_without_audience and claims.get("aud") == []:
            del claims["aud"]  # Ory Hydra's form of a token without an audience
        if CONFIRMATION in token.unverified_claims:
            # A response may leave the key out, but not name another one, with which a thief could make proofs.
            own_key = token.unverified_claims[CONFIRMATION]
            if claims.setdefault(CONFIRMATION, own_key) != own_key:
                detail = "the response names another key than the token"
                raise InvalidToken(Reason.SENDER_CONSTRAINED, detail, claim=CONFIRMATION)
        await self._check_response(claims, token)
        principal = Principal.from_claims(
            {"iss": self._rules.issuer, **_identifiers(token, claims, self._rules), **claims},
            names=self._rules.names,
            max_token_age=self._rules.max_token_age,
            default_expiry=self._clock.now() + max(expires_at - self._clock.monotonic(), 0.0),
            key_id=None if token.jws is None else token.jws.header.kid,
        )
        if own is not None:
            principal = dataclasses.replace(principal, expires_at=min(principal.expires_at, own.expires_at))
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

    async def _introspect(self, token: PresentedToken) -> dict[str, Any]:
        """Introspect a token; one that was active before is not limited, since no attacker can have invented it."""
        peer = None if self._cache.was_active(token.text) else token.peer
        return await self._endpoint.introspect(token.text, peer=peer)

    def _check_jwt(self, signed: CompactJWS, claims: dict[str, Any]) -> Principal:
        """Check what a JWT says about itself, before it is introspected, and return its unconfirmed principal.

        The signature is left to the issuer, so these checks can reject a token, and never accept one.
        Without them, an attacker could use an ID token or a token for another API wherever the response does not
        repeat the claims of the token, which RFC 7662 section 2.2 allows.
        """
        if not signed.header.is_of_okta_org_token or self._rules.requires_rfc9068:
            check_type(signed.header, self._rules)
        algorithm = signed.header.alg or "none"
        if algorithm.lower() == "none":
            raise InvalidToken(Reason.UNSUPPORTED_ALGORITHM, "the token is not signed", claim="alg")
        check_header(signed.header, algorithms={algorithm})
        required = _REQUIRED_OF_LIGHTWEIGHT_JWT if self._accepts_without_audience else REQUIRED_OF_JWT
        rules = dataclasses.replace(self._rules, required=required)
        now = self._clock.now()
        check_kind(claims, rules, now)  # first, since an ID token often has no client either
        try:
            check_claims(claims, rules, now=now)
        except InvalidToken as exc:
            if exc.claim == "aud" and "aud" not in claims:
                raise _missing_audience("the token has no aud") from None
            raise
        return Principal.from_claims(claims, names=rules.names, max_token_age=rules.max_token_age)

    async def _check_response(self, claims: dict[str, Any], token: PresentedToken) -> None:
        """Check the claims of an active token.

        Raises:
            InvalidToken: A claim is not acceptable, or neither the token nor the response has an audience.
        """
        # A response need not repeat the client under the name that it has in tokens.
        rules = dataclasses.replace(
            self._rules, required=await self._required(token), requires_client=False, id_token_claims=()
        )
        now = self._clock.now()
        check_kind(claims, rules, now)  # first, since a refresh token often has no audience either
        try:
            check_claims(claims, rules, now=now)
        except InvalidToken as exc:
            if exc.claim == "aud" and "aud" not in claims and token.jws is None:
                self._log_missing_audience()
                raise _missing_audience("the introspection response has no aud") from None
            if exc.reason is Reason.EXPIRED and claims["exp"] <= 0:
                detail = "exp is 0, as for a token that never expires"
                raise InvalidToken(Reason.EXPIRED, detail, claim="exp", setting=_ZERO_EXP_SETTING) from None
            raise

    async def _required(self, token: PresentedToken) -> frozenset[str]:
        """Return the claims that a response must have.

        The audience must be known, or else a token for any other API of the issuer would be accepted.
        Okta reports refresh tokens as active too, without ``iss`` and ``aud``; its responses for access tokens have
        them.
        """
        path = urllib.parse.urlsplit(await self._endpoint.endpoint()).path
        required = REQUIRED_OF_JWT if _AT_OKTA.match(path) else _REQUIRED_OF_RESPONSE
        is_excused = token.jws is None and self._accepts_without_audience
        return required - {"aud"} if is_excused or "aud" in token.unverified_claims else required | {"aud"}

    def _log_missing_audience(self) -> None:
        """Log the first response without an audience, since every opaque token of the issuer may fail."""
        if not self._has_logged_missing_audience:
            self._has_logged_missing_audience = True
            fields = {"issuer": self._rules.issuer, "setting": _AUDIENCE_SETTING}
            _logger.error(
                "introspection response without aud: issuer=%(issuer)s, rejected unless %(setting)s is set",
                fields,
                extra=fields,
            )

    def _is_before(self, expires_at: float) -> bool:
        return self._clock.monotonic() < expires_at


def _missing_audience(detail: str) -> InvalidToken:
    return InvalidToken(Reason.MISSING_CLAIM, detail, claim="aud", setting=_AUDIENCE_SETTING)


def _identifiers(token: PresentedToken, claims: dict[str, Any], rules: ClaimRules) -> dict[str, Any]:
    """Return the claims of a JWT by which the deny list finds it, so far as the response does not repeat them."""
    own = token.unverified_claims
    client = () if rules.names.has_client_id(claims) else rules.names.client_id
    # A path is the name of a claim too, so that a nested client is found again.
    found = ((name, find_claim(own, name)) for name in ("jti", "sub", *client))
    return {name: value for name, value in found if value is not MISSING}


def build(issuer: TrustedIssuer, context: ValidatorContext) -> IntrospectionValidator:
    """Return the validator for one issuer.

    Raises:
        SettingsError: The settings have no client credentials for this issuer.
    """
    return IntrospectionValidator(
        rules=rules_for(issuer),
        issuer=context.issuer(issuer),
        clock=context.clock,
        token_cache=context.token_cache,
        accepts_without_audience=issuer.accepts_introspection_without_audience,
    )
