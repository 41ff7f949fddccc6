"""From the word in the settings to the way of judging that it names."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

import service.validators
from service.errors import SettingsError
from service.validators.base import Factory

__all__ = ["find_factory", "kinds"]

AUTO = "auto"
_NOT_KINDS = frozenset({"base", "registry"})


def kinds() -> list[str]:
    """Return the built-in kinds: the names of the files beside this one."""
    return sorted(m.name for m in pkgutil.iter_modules(service.validators.__path__) if m.name not in _NOT_KINDS)


def find_factory(kind: str) -> Factory:
    """Return what builds a validator of a kind: a built-in one, or a third party's ``package.module:factory``.

    Raises:
        SettingsError: There is no such kind; the sentence names the kinds there are.
    """
    if ":" in kind:
        return _import_factory(kind)
    name = "jwt" if kind == AUTO else kind
    if name not in kinds():
        near = difflib.get_close_matches(kind, [AUTO, *kinds()], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join([AUTO, *kinds()])
        raise SettingsError([f"validation: was {kind!r}; expected {known}, or package.module:factory{hint}"])
    return _import_factory(f"{service.validators.__name__}.{name}:build")


def _import_factory(path: str) -> Factory:
    module_name, _, attribute = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise SettingsError([f"validation: was {path!r}; it cannot be imported: {exc}"]) from exc
    if not callable(factory):
        raise SettingsError([f"validation: was {path!r}; expected something to call with an issuer and a toolbox"])
    return factory  # type: ignore[no-any-return]  # a plug-in's types are its own promise
