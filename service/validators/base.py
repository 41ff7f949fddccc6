"""What a way to judge tokens must offer, and what it may lean on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from service.caches.shared import SharedCache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock
from service.issuers.client import JSONClient
from service.issuers.issuer import Issuer
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal


class Validator(Protocol):
    """A way to judge tokens."""

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return who the token speaks for, or None when it is not for this validator to judge.

        *Not mine* is said from the token's shape and its unverified issuer alone. Any other
        doubt is a refusal: what one validator refused, none after it is asked about.

        Raises:
            InvalidToken: The token is mine, and bad.
            IssuerUnavailable: The token is mine, and nobody can tell whether it is good.
        """

    async def check_ready(self) -> None:
        """Return when a token could be judged.

        Raises:
            IssuerUnavailable: None could; the detail says why.
        """

    async def close(self) -> None:
        """Give back what is held: fetches under way, connections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidatorContext:
    """All that a validator may lean on.

    Args:
        token_cache: Where it remembers tokens that it found good.
        cache: What all processes share.
        issuers: What the validators of one issuer share, so that its keys are fetched once for all of them.
    """

    client: JSONClient
    clock: Clock
    token_cache: ValidatedTokenCache
    cache: SharedCache
    issuers: dict[TrustedIssuer, Issuer] = field(default_factory=dict, repr=False)

    def issuer(self, issuer: TrustedIssuer) -> Issuer:
        """Return what there is to ask of an issuer: its keys, its metadata, its introspection endpoint."""
        if issuer not in self.issuers:
            self.issuers[issuer] = Issuer(issuer, client=self.client, clock=self.clock, cache=self.cache)
        return self.issuers[issuer]


Factory = Callable[[TrustedIssuer, ValidatorContext], Validator]
"""What a module in this package offers under the name ``build``, and what a plug-in's setting names."""
