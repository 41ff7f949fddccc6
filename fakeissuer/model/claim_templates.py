"""Claims of one's own, of a server, a client or a user, with places in them that are filled in.

As at Okta each is for access tokens or for ID tokens; userinfo tells those of ID tokens.

`${user.email}`, `${client.name}` or `${server.audience}` stand for what is registered, and `${scopes}`
for what was granted. A text that is nothing but one place becomes what stands there, a list or a number too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from fakeissuer.errors import Unacceptable
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User

PLACE = re.compile(r"\$\{(user|client|server)\.([a-z_]+)\}|\$\{(scopes)\}")
OPENING = re.compile(r"\$\{[^}]{0,100}\}?")
NEVER_TOLD = frozenset({"password", "secret", "jwks", "claims", "id_token_claims", "policy", "trusted_issuers"})


def _told_of(kind: type[User | Client | Server]) -> tuple[str, ...]:
    properties = (name for name, value in vars(kind).items() if isinstance(value, property))
    return tuple(name for name in (*kind.__struct_fields__, *properties) if name not in NEVER_TOLD)


TOLD: Mapping[str, tuple[str, ...]] = {"user": _told_of(User), "client": _told_of(Client), "server": _told_of(Server)}
"""What a place may name; a secret has none in a token, whoever asks for it."""


def check_places(claims: Mapping[str, Any]) -> None:
    """Check that each place in these claims stands for something that may be told.

    Raises:
        Unacceptable: one is mistyped, does not end, or stands for a secret; a token would silently say something else.
    """
    for text in _texts(claims):
        for owner, member, _ in PLACE.findall(text):
            if owner and member not in TOLD[owner]:
                expected = f"of a {owner} there are {', '.join(TOLD[owner])}"
                raise Unacceptable(f"claims hold ${{{owner}.{member}}}, which is not told; {expected}.")
        if stray := OPENING.search(PLACE.sub(" ", text)):
            expected = "${user.…}, ${client.…}, ${server.…} or ${scopes}"
            raise Unacceptable(f"claims hold {stray[0]!r}, which stands for nothing; expected {expected}.")


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


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _texts(inner)


def _at(place: re.Match[str], known: Mapping[str, Any]) -> Any:
    owner, member, scopes = place.groups()
    if scopes:
        return known["scopes"]
    found = getattr(known[owner], member, None) if member in TOLD[owner] else None
    return list(found) if isinstance(found, tuple) else found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
