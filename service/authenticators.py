"""The authenticators of one application, and what they are built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.tokens import ValidatedTokenCache
from service.instrumentation import Observers
from service.settings.program import Settings
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory


class Authenticators:
    """The authenticators of one application, one for each kind of validation that its handlers use.

    Args:
        build: Builds the authenticator for a kind of validation; "" means the kind in each issuer's settings.
    """

    def __init__(self, build: Callable[[str], Authenticator]) -> None:
        self._build = build
        self._built: dict[str, Authenticator] = {}

    def for_validation(self, validation: str) -> Authenticator:
        """Return the authenticator for a kind of validation, the same one each time.

        Raises:
            SettingsError: The kind is unknown, or an issuer's settings do not allow it.
        """
        if validation not in self._built:
            self._built[validation] = self._build(validation)
        return self._built[validation]

    def caches(self) -> list[ValidatedTokenCache]:
        """Return the caches of validated tokens, one for each kind of validation in use."""
        return [authenticator.token_cache for authenticator in self._built.values()]

    async def check_ready(self) -> None:
        """Return if every authenticator is ready.

        Raises:
            IssuerUnavailable: One is not; the detail says why.
        """
        for authenticator in self._built.values():
            await authenticator.check_ready()

    async def close(self) -> None:
        """Close every authenticator."""
        for authenticator in self._built.values():
            await authenticator.close()


def build_authenticators(
    settings: Settings, shared: ValidatorContext, *, deny_list: DenyList, binding: BindingCheck, observers: Observers
) -> Authenticators:
    """Return the authenticators for the tokens of the trusted issuers.

    Args:
        shared: What the validators share.
        observers: Receive each validation of a token that is not cached.
    """
    issuers, max_token_size = settings.trusted_issuers, settings.max_token_size

    def build(validation: str) -> Authenticator:
        # Each kind of validation has its own token cache: a token whose signature alone was verified must not be
        # accepted by a handler that requires introspection.
        context = replace(shared, token_cache=ValidatedTokenCache(clock=shared.clock))
        return Authenticator(
            [find_factory(validation or issuer.validation)(issuer, context) for issuer in issuers],
            token_cache=context.token_cache,
            deny_list=deny_list,
            binding=binding,
            max_token_size=max_token_size,
            observers=observers,
        )

    return Authenticators(build)
