"""Which scopes may be had (RFC 6749 section 3.3): what the server has, and what the grant is fit for."""

from __future__ import annotations

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.model.servers import OIDC_SCOPES, Server

SCOPE_LENGTH = 1024
OF_AN_ID_TOKEN = frozenset({"profile", "email", "address", "phone"})


def scope_tokens(text: str) -> tuple[str, ...]:
    """Return the scopes of a text, each once; the space alone divides them (RFC 6749 section 3.3), no other blank."""
    return tuple(dict.fromkeys(scope for scope in text.split(" ") if scope))


def check_known(server: Server, scopes: tuple[str, ...]) -> None:
    """Check that the server has these scopes.

    Raises:
        Refused: one it has not, or has no longer.
    """
    if not set(scopes) <= set(server.scopes):
        raise Refused(Problem.SCOPE_UNKNOWN)


def scopes_without_user(server: Server, asked: str) -> tuple[str, ...]:
    """Return the scopes that a client gets for itself: those it asked for, or the server's default.

    Raises:
        Refused: a scope is unknown or speaks of a user, or there is none at all.
    """
    scopes = _known_scopes(server, asked)
    if set(scopes) & set(OIDC_SCOPES):
        raise Refused(Problem.SCOPE_NEEDS_USER)
    return scopes


def scopes_with_user(server: Server, asked: str) -> tuple[str, ...]:
    """Return the scopes that a client gets to act for a user.

    Raises:
        Refused: a scope is unknown or needs `openid` beside it, or there is none at all.
    """
    scopes = _known_scopes(server, asked)
    if set(scopes) & OF_AN_ID_TOKEN and "openid" not in scopes:
        raise Refused(Problem.SCOPE_NEEDS_OPENID)
    return scopes


def _known_scopes(server: Server, asked: str) -> tuple[str, ...]:
    if len(asked) > SCOPE_LENGTH:
        raise Refused(Problem.SCOPE_TOO_LONG)
    scopes = scope_tokens(asked) or server.default_scopes
    if not scopes:
        raise Refused(Problem.SCOPE_MISSING)
    check_known(server, scopes)
    return scopes
