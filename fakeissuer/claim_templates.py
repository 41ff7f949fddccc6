"""Claims of one's own, of a server, a client or a user, with places in them that are filled in.

As at Okta each is for access tokens or for ID tokens; userinfo tells those of ID tokens.

`${user.email}`, `${client.name}` or `${server.audience}` stand for what is registered, and `${scopes}`
for what was granted. A text that is nothing but one place becomes what stands there, a list or a number too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from fakeissuer.entries import Client, Server, User

PLACE = re.compile(r"\$\{(user|client|server)\.([a-z_]+)\}|\$\{(scopes)\}")
NEVER_TOLD = frozenset({"password", "secret", "jwks", "claims", "id_token_claims", "policy", "trusted_issuers"})


def custom_claims(
    server: Server,
    client: Client | None,
    user: User | None,
    scopes: tuple[str, ...],
    member: Literal["claims", "id_token_claims"] = "claims",
) -> dict[str, Any]:
    """Return the claims of the server, the client and the user, the later winning over the earlier."""
    known: dict[str, Any] = {"server": server, "client": client, "user": user, "scopes": list(scopes)}
    owners = [owner for owner in (server, client, user) if owner is not None]
    claims: dict[str, Any] = {}
    for owner in owners:
        claims |= {name: _filled(value, known) for name, value in owner[member].items()}
    return claims


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = PLACE.fullmatch(value)
    return _at(whole, known) if whole else PLACE.sub(lambda place: _text(_at(place, known)), value)


def _at(place: re.Match[str], known: Mapping[str, Any]) -> Any:
    owner, member, scopes = place.groups()
    if scopes:
        return known["scopes"]
    # A secret has no place in a token, whoever asks for it.
    found = None if member in NEVER_TOLD else getattr(known[owner], member, None)
    return list(found) if isinstance(found, tuple) else found if isinstance(found, str | int | None) else None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
