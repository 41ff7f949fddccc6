"""Finds the factory of a validator by its kind in the settings."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from service.errors import SettingsError
from service.settings.issuers import TrustedIssuer
from service.text import did_you_mean
from service.validators import auto, hybrid, introspection, jwt
from service.validators.base import Factory

ENTRY_POINT_GROUP = "service.validators"
BUILT_IN: dict[str, Factory] = {
    "auto": auto.build,
    "hybrid": hybrid.build,
    "introspection": introspection.build,
    "jwt": jwt.build,
}


def find_factory(kind: str) -> Factory:
    """Return the factory for a kind of validator.

    A kind is a key of :data:`BUILT_IN`, the name of an entry point in the group ``service.validators``, or
    ``package.module:factory``.

    Raises:
        SettingsError: The kind is unknown or cannot be imported; the message lists the known kinds.
    """
    if ":" in kind:
        return _import_factory(kind)
    if kind in BUILT_IN:
        return BUILT_IN[kind]
    from importlib.metadata import entry_points  # noqa: PLC0415  # only for a kind that is not built in

    registered = {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
    if kind in registered:
        return _import_factory(registered[kind])
    known = [*BUILT_IN, *sorted(registered)]
    expected = f"expected {', '.join(known)}, or package.module:factory"
    raise SettingsError([f"validation: was {kind!r}; {expected}{did_you_mean(kind, known)}"])


def token_issuers(issuers: Iterable[TrustedIssuer]) -> frozenset[str] | None:
    """Return the issuers that principals can have, or None if there is a custom validator, which may choose any."""
    trusted = tuple(issuers)
    if any(issuer.validation not in BUILT_IN for issuer in trusted):
        return None
    return frozenset(issuer.profile.token_issuer for issuer in trusted)


def _import_factory(path: str) -> Factory:
    module_name, _, attribute = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as exc:  # a user's module may raise anything
        raise SettingsError([f"validation: was {path!r}; it cannot be imported: {exc}"]) from exc
    if not callable(factory):
        raise SettingsError([f"validation: was {path!r}; expected a function that takes an issuer and a context"])
    return factory  # type: ignore[no-any-return]  # the types of a custom factory are not checked
