"""Reads the bodies of requests to the admin port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.caches.deny_list import KINDS, DenyEntry
from service.tokens import encoding

MAX_ENTRY_LIFETIME = 400 * 24 * 3600.0
"""Seconds; longer than the lifetime of any access token."""
_DEFAULT_ENTRY_LIFETIME = 24 * 3600.0
_MEMBERS = frozenset({*KINDS, "issuer", "expires_in"})
_MAX_VALUE_LENGTH = 1024
"""Bytes of a value or an issuer."""


class BadRequest(Exception):
    """The request is malformed; the message is sent to the client."""


def parse_entry(body: bytes, *, now: float) -> DenyEntry:
    """Return the entry in ``{"jti" | "sub" | "cid" | "kid" | "iss": text, "issuer"?: text, "expires_in"?: seconds}``.

    Args:
        now: The start of the entry, in seconds since the epoch.

    Raises:
        BadRequest: The body is malformed.
    """
    members = _parse_members(body, _MEMBERS, example='{"jti": "AT.x1", "expires_in": 3600}')
    kind = _read_kind(members)
    issuer, lifetime = _read_issuer(members), members.get("expires_in", _DEFAULT_ENTRY_LIFETIME)
    if kind == "iss" and issuer is not None:
        raise BadRequest("iss denies every token of an issuer, so issuer is left out")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or not 0 < lifetime <= MAX_ENTRY_LIFETIME:
        raise BadRequest(f"expires_in is a number of seconds, more than 0 and at most {MAX_ENTRY_LIFETIME:.0f}")
    return DenyEntry(kind=kind, value=members[kind], issuer=issuer, expires_at=now + lifetime)


def parse_issuer(body: bytes) -> str | None:
    """Return the issuer in ``{"issuer": text}``, or None for all issuers if the body is empty or names none.

    Raises:
        BadRequest: The body is malformed.
    """
    if not body:
        return None
    members = _parse_members(body, frozenset({"issuer"}), example='{"issuer": "https://issuer.example"}')
    return _read_issuer(members)


def _parse_members(body: bytes, known: frozenset[str], *, example: str) -> dict[str, Any]:
    try:
        members = encoding.decode_json_object(body)
    except ValueError:
        raise BadRequest(f"The body is not a JSON object, such as {example}") from None
    if unknown := members.keys() - known:
        raise BadRequest(f"There is no member {min(unknown)[:40]!r}; expected {', '.join(sorted(known))}")
    return members


def _read_kind(members: Mapping[str, Any]) -> str:
    kinds = [kind for kind in KINDS if kind in members]
    if len(kinds) != 1:
        raise BadRequest(f"Name exactly one of {', '.join(KINDS)}; iss denies every token of an issuer")
    _check_text(kinds[0], members[kinds[0]])
    return kinds[0]


def _read_issuer(members: Mapping[str, Any]) -> str | None:
    issuer = members.get("issuer")
    if issuer is not None:
        _check_text("issuer", issuer)
    return issuer


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value.encode("utf-8", "surrogatepass")) <= _MAX_VALUE_LENGTH:
        raise BadRequest(f"{name} is a text of at most {_MAX_VALUE_LENGTH} bytes, and not empty")
