"""Builds the authenticators of one application from its settings."""

from __future__ import annotations

from dataclasses import replace

from service.authenticator import Authenticator, Authenticators
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.tokens import ValidatedTokenCache
from service.instrumentation import Observers
from service.settings.program import Settings
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory


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
