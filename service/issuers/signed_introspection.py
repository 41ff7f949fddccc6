"""Signed introspection responses (RFC 9701)."""

from __future__ import annotations

from typing import Any

from service.clock import Clock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.issuers.client import FormResponse
from service.issuers.keys import RemoteKeySet
from service.tokens import jws
from service.tokens.claims import numeric_date
from service.tokens.presented import PresentedToken

SIGNED_RESPONSE = "application/token-introspection+jwt"
_TYPE = "token-introspection+jwt"


class SignedIntrospectionResponse:
    """Verifies the signed introspection responses of one issuer.

    A plain response is rejected: otherwise an attacker could substitute it for a signed one.

    Args:
        client_id: Our client ID, the required audience of a response (RFC 9701 section 5).
        algorithms: The accepted signature algorithms.
        leeway: Seconds of tolerance for clock skew.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        keys: RemoteKeySet,
        algorithms: frozenset[str],
        clock: Clock,
        leeway: float,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._keys = keys
        self._algorithms = algorithms
        self._clock = clock
        self._leeway = leeway

    async def read(self, endpoint: str, response: FormResponse) -> dict[str, Any]:
        """Return the introspection response in a signed HTTP response.

        Raises:
            IssuerUnavailable: The response is not signed by this issuer, not for us, or not recent.
        """
        if response.media_type != SIGNED_RESPONSE:
            raise IssuerUnavailable(f"POST {endpoint}: expected a signed response, got {response.media_type[:80]!r}")
        try:
            claims = await self._verify(response.body)
            return self._check(claims)
        except InvalidToken as exc:
            raise IssuerUnavailable(f"POST {endpoint}: the signed response is invalid: {exc}") from None

    async def _verify(self, body: bytes) -> dict[str, Any]:
        token = PresentedToken.read(body.decode("ascii", "replace"), max_size=len(body))
        if token.jws is None:
            raise InvalidToken(Reason.MALFORMED_TOKEN, token.parse_error)
        if token.jws.header.typ != _TYPE:
            raise InvalidToken(Reason.UNSUPPORTED_TYPE, f"expected {_TYPE}", claim="typ")
        algorithm, kid = jws.check_header(token.jws.header, algorithms=self._algorithms)
        await self._keys.verify(token.jws, algorithm=algorithm, kid=kid)
        return token.unverified_claims  # verified, from here on

    def _check(self, claims: dict[str, Any]) -> dict[str, Any]:
        if claims.get("iss") != self._issuer:
            raise InvalidToken(Reason.WRONG_ISSUER, claim="iss")
        audience = claims.get("aud")
        if self._client_id not in (audience if isinstance(audience, list) else [audience]):
            raise InvalidToken(Reason.WRONG_AUDIENCE, claim="aud")
        iat = numeric_date(claims, "iat")
        if iat is None or abs(self._clock.now() - iat) > self._leeway:
            # An attacker could replay an old response after the token was revoked.
            raise InvalidToken(Reason.TOO_OLD, claim="iat")
        introspection = claims.get("token_introspection")
        if not isinstance(introspection, dict):
            raise InvalidToken(Reason.MISSING_CLAIM, claim="token_introspection")
        return introspection
