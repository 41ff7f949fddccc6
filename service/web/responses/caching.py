"""``Cache-Control`` and ``Vary`` of responses that depend on a token (RFC 9111 sections 3.5, 4.1 and 5.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_DIRECTIVE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,])+')
_DECIDED = frozenset({"public", "private", "no-store"})


def restrict_to_private(own: str) -> str:
    """Return a handler's ``Cache-Control`` with ``private`` added, unless it has ``public`` or is as strict already.

    Shared caches such as nginx's store a response to a request with a token unless a directive forbids it, and then
    send it to clients without one. ``private`` with field names restricts only these fields, so it does not count.
    """
    if _DECIDED & _directives(own):
        return own
    return f"private, {own}" if own.strip() else "private"


def without_public(cache_control: str) -> str:
    """Return a ``Cache-Control`` without the directive ``public``."""
    directives = [each.strip() for each in _DIRECTIVE.findall(cache_control)]
    return ", ".join(each for each in directives if each.lower() != "public")


def is_public(cache_control: str) -> bool:
    """Return whether a ``Cache-Control`` allows a shared cache to send the response to every client."""
    return "public" in _directives(cache_control)


def add_to_vary(own: str | None, names: Iterable[str]) -> str:
    """Return a handler's ``Vary`` with the names of more request fields that the response depends on."""
    listed = {name.strip().lower() for name in (own or "").split(",")}
    if "*" in listed:
        return own or ""
    missing = [name for name in names if name.lower() not in listed]
    return ", ".join([own, *missing] if own else missing)


def _directives(cache_control: str) -> set[str]:
    return {directive.strip() for directive in _QUOTED.sub("", cache_control).lower().split(",")}
