"""Finds the validator that a kind in the settings names."""

from __future__ import annotations

import difflib
import importlib
from importlib.metadata import entry_points

from service.errors import SettingsError
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
    """Return the function that builds a validator of a kind.

    A kind is one of :data:`BUILT_IN`, a name that a package registered in the entry point group
    ``service.validators``, or a ``package.module:factory``.

    Raises:
        SettingsError: There is no such kind; the message lists the known ones.
    """
    if ":" in kind:
        return _import_factory(kind)
    if kind in BUILT_IN:
        return BUILT_IN[kind]
    registered = {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
    if kind in registered:
        return _import_factory(registered[kind])
    known = [*BUILT_IN, *sorted(registered)]
    near = difflib.get_close_matches(kind, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise SettingsError([f"validation: was {kind!r}; expected {', '.join(known)}, or package.module:factory{hint}"])


def _import_factory(path: str) -> Factory:
    module_name, _, attribute = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise SettingsError([f"validation: was {path!r}; it cannot be imported: {exc}"]) from exc
    if not callable(factory):
        raise SettingsError([f"validation: was {path!r}; expected something to call with an issuer and a context"])
    return factory  # type: ignore[no-any-return]  # a plug-in's types are its own promise
