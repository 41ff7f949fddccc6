"""Custom claims of a server, a client or a user, with placeholders.

As at Okta, each claim is for access tokens or for ID tokens; userinfo returns those of ID tokens.

``${user.email}``, ``${client.name}`` and ``${server.audience}`` insert registered values, ``${scopes}`` the granted
scopes. A string that consists of one placeholder becomes its value, which may be a list or a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User

_PLACEHOLDER = re.compile(r"\$\{(user|client|server)\.([a-z_]+)\}|\$\{(scopes)\}")
_UNCLOSED = re.compile(r"\$\{[^}]{0,100}\}?")
_SECRET_MEMBERS = frozenset({"password", "secret", "jwks", "claims", "id_token_claims", "policy", "trusted_issuers"})


def _allowed_members(kind: type[User | Client | Server]) -> tuple[str, ...]:
    properties = (name for name, value in vars(kind).items() if isinstance(value, property | cached_property))
    return tuple(name for name in (*kind.__struct_fields__, *properties) if name not in _SECRET_MEMBERS)


_ALLOWED_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "user": _allowed_members(User),
    "client": _allowed_members(Client),
    "server": _allowed_members(Server),
}
"""The members that a placeholder may name; secrets are excluded."""


def check_placeholders(claims: Mapping[str, Any]) -> None:
    """Check that each placeholder in these claims has a public value.

    Raises:
        InvalidRequestError: a placeholder is unknown, unclosed or names a secret.
    """
    for text in _texts(claims):
        for owner, member, _ in _PLACEHOLDER.findall(text):
            if owner and member not in _ALLOWED_MEMBERS[owner]:
                expected = f"expected one of {', '.join(_ALLOWED_MEMBERS[owner])}"
                raise InvalidRequestError(f"claims contain ${{{owner}.{member}}}, unknown or secret; {expected}.")
        if invalid := _UNCLOSED.search(_PLACEHOLDER.sub(" ", text)):
            expected = "${user.…}, ${client.…}, ${server.…} or ${scopes}"
            raise InvalidRequestError(f"claims contain {invalid[0]!r}, not a placeholder; expected {expected}.")


def custom_claims(
    server: Server,
    client: Client | None,
    user: User | None,
    scopes: tuple[str, ...],
    member: Literal["claims", "id_token_claims"] = "claims",
) -> dict[str, Any]:
    """Return the claims of the server, the client and the user, where later ones take precedence."""
    known: dict[str, Any] = {"server": server, "client": client, "user": user, "scopes": list(scopes)}
    owners = [owner for owner in (server, client, user) if owner is not None]
    claims: dict[str, Any] = {}
    for owner in owners:
        claims |= {name: _fill(value, known) for name, value in owner[member].items()}
    return claims


def _fill(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    return (
        _resolve(whole, known)
        if whole
        else _PLACEHOLDER.sub(lambda placeholder: _text(_resolve(placeholder, known)), value)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _texts(inner)


def _resolve(placeholder: re.Match[str], known: Mapping[str, Any]) -> Any:
    owner, member, scopes = placeholder.groups()
    if scopes:
        return known["scopes"]
    value = getattr(known[owner], member, None) if member in _ALLOWED_MEMBERS[owner] else None
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
