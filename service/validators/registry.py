"""From the word in the settings to the way of judging that it names."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from importlib.metadata import entry_points

import service.validators
from service.errors import SettingsError
from service.validators.base import Factory

ENTRY_POINT_GROUP = "service.validators"
_OTHER_MODULES = frozenset({"base", "registry", "remote"})


def kinds() -> list[str]:
    """Return the built-in kinds: the names of the files beside this one."""
    return sorted(m.name for m in pkgutil.iter_modules(service.validators.__path__) if m.name not in _OTHER_MODULES)


def find_factory(kind: str) -> Factory:
    """Return what builds a validator of a kind.

    A kind is the name of a file beside this one, a name that a third party registered in the entry point
    group ``service.validators``, or a third party's ``package.module:factory``.

    Raises:
        SettingsError: There is no such kind; the sentence names the kinds there are.
    """
    if ":" in kind:
        return _import_factory(kind)
    if kind in kinds():
        return _import_factory(f"{service.validators.__name__}.{kind}:build")
    registered = {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
    if kind in registered:
        return _import_factory(registered[kind])
    known = [*kinds(), *sorted(registered)]
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
