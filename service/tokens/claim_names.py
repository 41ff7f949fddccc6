"""The names under which issuers write client, scopes, groups and roles, and the lookup of nested claims."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import InvalidToken, Reason

MISSING: Any = object()
"""Stands for a claim that a token does not have, since null is a value."""

_OTHER_NOTATION = re.compile(r"^\$\.|^/|[\[\]*]|^\.|\.\.|\.$")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimNames:
    """The names of the claims from which a principal is read; each may be a path, see :func:`find_claim`.

    Args:
        client_id: The names of the client ID; two that are present must have the same value.
        scopes: The names of the scopes, of which the first that is present counts.
        groups: The name of the groups.
        roles: The name of the roles.
    """

    client_id: tuple[str, ...] = ("client_id", "cid", "azp", "appid")
    scopes: tuple[str, ...] = ("scope", "scp")
    groups: str = "groups"
    roles: str = "roles"

    def find_client_id(self, claims: Mapping[str, Any]) -> str | None:
        """Return the client that the token was issued to, or None if the token does not name it.

        Raises:
            InvalidToken: The client ID is not a string, or two claims name two clients. An attacker who can have the
                issuer add a claim of any name would otherwise choose the client that is read.
        """
        found: str | None = None
        found_in = ""
        for name in self.client_id:
            if name not in claims and "." not in name:  # saves a call for each name that the issuer does not use
                continue
            value = find_claim(claims, name)
            if value is MISSING:
                continue
            if not isinstance(value, str):
                detail = f"expected a string, found {type(value).__name__}"
                raise InvalidToken(Reason.MALFORMED_CLAIM, detail, claim=name)
            if found is not None and value != found:
                detail = f"expected the client of {found_in}, {found!r:.60}, found {value!r:.60}"
                raise InvalidToken(Reason.MALFORMED_CLAIM, detail, claim=name, setting="client_id_claims")
            found, found_in = value, name
        return found

    def has_client_id(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the claims name a client."""
        return any(find_claim(claims, name) is not MISSING for name in self.client_id)


DEFAULT_NAMES = ClaimNames()
"""The names of an issuer without a profile."""


def find_claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return the value of a claim or of a member of one, or :data:`MISSING`.

    A name is first taken as it is, so that ``https://example.com/roles`` is one claim.
    Otherwise dots separate a path, as in ``realm_access.roles``.
    A member may contain dots itself, so at each step the longest member with which the rest begins is taken, and no
    shorter one is tried: another client with a similar name could otherwise supply the roles of this one.
    """
    if name in claims:
        return claims[name]
    return _descend(claims, name) if "." in name else MISSING


def explain_missing(claims: Mapping[str, Any], name: str) -> str:
    """Return why a claim has no value to compare, or "" if it has one; for the log."""
    value = find_claim(claims, name)
    if value is MISSING:
        return f"the token has no {name}"
    if isinstance(value, Mapping):
        return f"{name} is an object; write the path to one of its members"
    return ""


def check_claim_name(name: str) -> str:
    """Return the name of a claim, or the path to a member.

    Raises:
        ValueError: It is written in another notation for paths, and no token has a claim of that name.
    """
    if not name or _OTHER_NOTATION.search(name):
        raise ValueError(
            f"{name!r} is not the name of a claim; separate the members of a path by dots, as in realm_access.roles, "
            "without wildcards and brackets"
        )
    return name


def _descend(value: Any, path: str) -> Any:
    while isinstance(value, Mapping):
        member = path
        while member not in value:
            member, separator, _ = member.rpartition(".")
            if not separator:
                return MISSING
        value = value[member]
        if member == path:
            return value
        path = path[len(member) + 1 :]
    return MISSING
