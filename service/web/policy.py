"""What a handler demands of whoever calls it, written on its class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.errors import InsufficientScope
from service.tokens.principal import Principal

__all__ = ["METHODS", "Policy"]

METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3

ScopesAttribute = str | Iterable[str] | Mapping[str, str | Iterable[str]]
"""All scopes of a list are needed; a text holds them separated by spaces; a mapping gives them for each method."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The demands of one handler, read from its class once and checked on every request.

    Args:
        public: Whether anybody may call it, and no token is looked at.
        scopes: The scopes that are needed, all of them, for each method.
        validation: The kind of validation that must judge the token; "" for that of its issuer in the settings.
    """

    public: bool = False
    validation: str = ""
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, *, public: object, scopes: ScopesAttribute, validation: object = "") -> Policy:
        """Return the policy that the class attributes spell.

        Raises:
            TypeError: One of them is of a type that means nothing, so that the author meant something else.
            ValueError: A scope or a method cannot be one, or a public handler demands scopes.
        """
        if not isinstance(public, bool):
            raise TypeError(f"public is True or False, not {public!r}")
        if isinstance(scopes, Mapping):
            if unknown := scopes.keys() - set(METHODS):
                raise ValueError(f"scopes names {sorted(unknown)}; methods are written as {', '.join(METHODS)}")
            by_method = {method: _read_scopes(value) for method, value in scopes.items()}
        else:
            by_method = dict.fromkeys(METHODS, _read_scopes(scopes))
        if public and any(by_method.values()):
            raise ValueError("the handler is public, so nobody's scopes are checked; drop public or scopes")
        if not isinstance(validation, str):
            raise TypeError(f"validation is the name of a kind, not {validation!r}")
        if public and validation:
            raise ValueError("the handler is public, so no token is judged; drop public or validation")
        return cls(public=public, scopes=by_method, validation=validation)

    def check(self, principal: Principal, method: str) -> None:
        """Ask whether a principal may call a method.

        Raises:
            InsufficientScope: A scope is missing; the error names all that are needed.
        """
        required = self.scopes.get(method)
        if required and not required <= principal.scopes:
            raise InsufficientScope(required)


def _read_scopes(value: str | Iterable[str]) -> frozenset[str]:
    scopes = value.split() if isinstance(value, str) else list(value)
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise ValueError(f"{scope!r} cannot be a scope (RFC 6749 section 3.3)")
    return frozenset(scopes)
