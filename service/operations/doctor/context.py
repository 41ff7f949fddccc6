"""One token under examination: what is known of it, filled in by one rule after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.issuers.client import JSONClient
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.tokens.claims import ClaimRules
from service.tokens.issuer_identifier import is_okta_org_server
from service.tokens.jwk import JWK
from service.tokens.jws import CompactJWS
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import auto, hybrid, jwt
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory


@dataclass(kw_only=True)
class ExplainContext:
    """What the rules work on. ``seen``, ``expected`` and ``advice`` belong to the rule that is asked right now."""

    text: str = field(repr=False)
    settings: Settings
    client: JSONClient
    clock: Clock
    now: float

    found: str = ""
    expected: str = ""
    advice: str = ""

    parts: Sequence[bytes] = field(default=(), repr=False)
    header: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    presented: PresentedToken | None = None
    issuer: TrustedIssuer | None = None
    algorithm: str = ""
    kid: str | None = None
    keys: Sequence[JWK] = ()
    principal: Principal | None = None

    def clear(self) -> None:
        """Forget what the rule before has said."""
        self.found = self.expected = self.advice = ""

    @property
    def token(self) -> PresentedToken:
        """The token as the service reads it, within its size."""
        if self.presented is None:
            self.presented = PresentedToken.read(self.text, max_size=self.settings.max_token_size)
        return self.presented

    @property
    def jws(self) -> CompactJWS:
        """The signed parts of the JWT that the token is.

        Raises:
            InvalidToken: The service reads none in it, and its word counts.
        """
        if self.token.jws is None:
            raise InvalidToken(Reason.MALFORMED_TOKEN, self.token.parse_error)
        return self.token.jws

    @property
    def validator_context(self) -> ValidatorContext:
        """What a validator may lean on while it is asked about this one token."""
        cache = open_cache("memory://", clock=self.clock)
        return ValidatorContext(
            client=self.client, clock=self.clock, token_cache=ValidatedTokenCache(clock=self.clock), cache=cache
        )

    @property
    def trusted(self) -> TrustedIssuer:
        """The issuer that the token is from, once it is found among those that are trusted."""
        if self.issuer is None:
            raise RuntimeError("the rule about the issuer comes before the ones that need it")
        return self.issuer

    @property
    def rules(self) -> ClaimRules:
        """What is expected of the claims of that issuer's tokens."""
        return jwt.rules_for(self.trusted)


def is_validated_locally(issuer: TrustedIssuer) -> bool:
    """Return whether an issuer's JWTs are judged by rules that can be walked, and not by another validator.

    Raises:
        SettingsError: There is no validator of that kind.
    """
    return find_factory(issuer.validation) in _BY_RULES and not is_okta_org_server(issuer.issuer)


_BY_RULES = (jwt.build, auto.build, hybrid.build)
