"""The interface of a validator, and the dependencies passed to its factory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from service.caches.shared import SharedCache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock
from service.issuers.client import JSONClient
from service.issuers.issuer import Issuer
from service.issuers.status import IssuerStatus
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal


class Validator(Protocol):
    """Validates the tokens of one issuer."""

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the principal of a valid token, or None if the token is of another issuer.

        Return None only because of the token's format or its unverified issuer, and raise for any other problem:
        the next validator is called only after None.

        Raises:
            InvalidToken: The token is of this issuer, and invalid.
            IssuerUnavailable: The token is of this issuer, but cannot be validated now.
        """

    async def check_ready(self) -> None:
        """Return if tokens can be validated.

        Raises:
            IssuerUnavailable: They cannot; the detail says why.
        """

    async def close(self) -> None:
        """Cancel pending requests, and close connections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidatorContext:
    """The dependencies of validators.

    Args:
        client: The HTTP client for requests to issuers.
        clock: The source of time.
        token_cache: The cache of validated tokens.
        cache: The cache that processes share.
        issuers: The issuers created so far; validators of one issuer share its keys.
    """

    client: JSONClient
    clock: Clock
    token_cache: ValidatedTokenCache
    cache: SharedCache
    issuers: dict[TrustedIssuer, Issuer] = field(default_factory=dict, repr=False)

    def issuer(self, issuer: TrustedIssuer) -> Issuer:
        """Return the keys, the metadata and the introspection endpoint of an issuer, the same object each time."""
        if issuer not in self.issuers:
            self.issuers[issuer] = Issuer(issuer, client=self.client, clock=self.clock, cache=self.cache)
        return self.issuers[issuer]

    def statuses(self) -> list[IssuerStatus]:
        """Return the state of each issuer; awaits nothing."""
        return [issuer.status() for issuer in self.issuers.values()]

    async def refresh_key_sets(self, issuer: str | None) -> Mapping[str, bool]:
        """Fetch the key set of an issuer, or all if None, whatever its age; return whether that succeeded, by issuer.

        Issuers whose keys are not used are left out.
        """
        named = [one for one in self.issuers.values() if one.uses_keys and issuer in {None, one.name, one.token_issuer}]
        results = await asyncio.gather(*(one.refresh_keys() for one in named))
        return {one.name: result for one, result in zip(named, results, strict=True)}


Factory = Callable[[TrustedIssuer, ValidatorContext], Validator]
"""The type of each module's ``build`` function, and of the factory of a custom validator."""
