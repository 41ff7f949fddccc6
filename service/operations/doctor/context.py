"""The state of ``explain``: one token and what the rules have found so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.issuers.client import JSONClient
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.tokens.claim_rules import ClaimRules
from service.tokens.jwk import JWK
from service.tokens.jws import CompactJWS
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators import auto, hybrid, jwt
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory


class Rule(NamedTuple):
    """One rule: its description, and the function that applies it.

    The function raises :class:`InvalidToken` or :class:`InvalidRequest` for a token that breaks the rule, and
    :class:`IssuerUnavailable` if the rule cannot be applied now.
    """

    description: str
    run: Callable[[ExplainContext], Awaitable[None]]


@dataclass(kw_only=True)
class ExplainContext:
    """The token and its parts; ``found``, ``expected`` and ``advice`` belong to the current rule."""

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
    response: Mapping[str, Any] | None = field(default=None, repr=False)
    """The claims of the introspection response."""
    following: list[Rule] = field(default_factory=list)
    """The rules that the current rule adds; they come next."""
    resources: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)
    principal: Principal | None = None

    def clear(self) -> None:
        """Reset the texts of the previous rule."""
        self.found = self.expected = self.advice = ""
        self.following = []

    @property
    def token(self) -> PresentedToken:
        """The token, parsed as the service does."""
        if self.presented is None:
            self.presented = PresentedToken.read(self.text, max_size=self.settings.max_token_size)
        return self.presented

    @property
    def jws(self) -> CompactJWS:
        """The parts of the JWT.

        Raises:
            InvalidToken: The token is no JWT.
        """
        if self.token.jws is None:
            raise InvalidToken(Reason.MALFORMED_TOKEN, self.token.parse_error)
        return self.token.jws

    @property
    def validator_context(self) -> ValidatorContext:
        """The context for a validator of this token."""
        cache = open_cache("memory://", clock=self.clock)
        return ValidatorContext(
            client=self.client, clock=self.clock, token_cache=ValidatedTokenCache(clock=self.clock), cache=cache
        )

    @property
    def trusted(self) -> TrustedIssuer:
        """The trusted issuer of the token."""
        if self.issuer is None:
            raise RuntimeError("the rule about the issuer comes before the ones that need it")
        return self.issuer

    @property
    def rules(self) -> ClaimRules:
        """The claim rules of that issuer."""
        return jwt.rules_for(self.trusted)


def is_validated_locally(issuer: TrustedIssuer) -> bool:
    """Return whether an issuer's JWTs are validated by the built-in rules, and not by another validator.

    Raises:
        SettingsError: There is no validator of that kind.
    """
    return find_factory(issuer.validation) in _BY_RULES and not issuer.profile.is_okta_org_server


_BY_RULES = (jwt.build, auto.build, hybrid.build)
