"""Validates JWTs locally, with the keys that their issuer publishes (RFC 9068 section 4, RFC 8725 section 3)."""

from __future__ import annotations

from functools import partial

from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import Clock
from service.issuers.keys import RemoteKeySet
from service.settings.issuers import TrustedIssuer
from service.tokens import jws
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import check_claims
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.tokens.token_kinds import check_type
from service.validators.base import ValidatorContext


class JWTValidator:
    """Validates the JWTs of one issuer; does not detect revocation."""

    def __init__(
        self,
        *,
        rules: ClaimRules,
        algorithms: frozenset[str],
        keys: RemoteKeySet,
        clock: Clock,
        token_cache: ValidatedTokenCache,
    ) -> None:
        self.jwt_issuer = rules.issuer
        self._rules = rules
        self._algorithms = algorithms
        self._keys = keys
        self._clock = clock
        self._token_cache = token_cache

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token and cache it, or return None if the token is of another issuer."""
        validated = await self.validate_uncached(token)
        return None if validated is None else self._token_cache.put(token.text, validated)

    async def validate_uncached(self, token: PresentedToken) -> ValidatedToken | None:
        """Return the validated token without storing it in the token cache, or None if it is of another issuer.

        The header is checked first, so that a token that fails there causes no key fetch.

        Raises:
            InvalidToken: The token is of this issuer, and invalid.
            IssuerUnavailable: The keys are unavailable.
        """
        signed = token.jws
        if signed is None or token.unverified_issuer != self._rules.issuer:
            return None
        check_type(signed.header, self._rules)
        algorithm, kid = jws.check_header(signed.header, algorithms=self._algorithms)
        key = await self._keys.verify(signed, algorithm=algorithm, kid=kid)
        claims = token.unverified_claims  # verified from here on
        check_claims(claims, self._rules, now=self._clock.now())
        # The ID of the key, since a header without kid would hide the use of a key that is on the deny list.
        principal = Principal.from_claims(
            claims, names=self._rules.names, max_token_age=self._rules.max_token_age, key_id=key.kid
        )
        return ValidatedToken(principal, partial(self._keys.is_current, key))

    async def check_ready(self) -> None:
        """Return if the issuer's keys are available.

        Raises:
            IssuerUnavailable: They are not; the detail says why.
        """
        await self._keys.check_ready()

    async def close(self) -> None:
        """Cancel pending requests to the issuer."""
        await self._keys.close()


def build(issuer: TrustedIssuer, context: ValidatorContext) -> JWTValidator:
    """Return the validator for one issuer."""
    return JWTValidator(
        rules=rules_for(issuer),
        algorithms=issuer.algorithms,
        keys=context.issuer(issuer).keys,
        clock=context.clock,
        token_cache=context.token_cache,
    )


def rules_for(issuer: TrustedIssuer) -> ClaimRules:
    """Return the claim rules for one issuer's tokens."""
    return ClaimRules(
        issuer=issuer.profile.token_issuer,
        audiences=issuer.audiences,
        allowed_client_ids=issuer.allowed_client_ids,
        leeway=issuer.leeway,
        max_token_age=issuer.max_token_age,
        requires_rfc9068=issuer.requires_rfc9068,
        accepts_id_token_hashes=issuer.accepts_id_token_hashes,
        accepts_without_audience=issuer.profile.accepts_without_audience,
        requires_client=issuer.profile.server.requires_client,
        id_token_claims=issuer.profile.server.id_token_claims,
        names=issuer.profile.names,
    )
