"""Which scopes may be had (RFC 6749 section 3.3): what the server has, and what the grant is fit for."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.servers import OIDC_SCOPES, Server

_MAX_SCOPE_LENGTH = 1024
_ID_TOKEN_SCOPES = frozenset({"profile", "email", "address", "phone"})


def scope_tokens(text: str) -> tuple[str, ...]:
    """Return the scopes of a text, each once; the space alone divides them (RFC 6749 section 3.3), no other blank."""
    return tuple(dict.fromkeys(scope for scope in text.split(" ") if scope))


def check_known(server: Server, scopes: tuple[str, ...]) -> None:
    """Check that the server has these scopes.

    Raises:
        OAuthError: one it has not, or has no longer.
    """
    if not set(scopes) <= set(server.scopes):
        raise OAuthError(ErrorCase.SCOPE_UNKNOWN)


def scopes_without_user(server: Server, requested: str) -> tuple[str, ...]:
    """Return the scopes that a client gets for itself: those it asked for, or the server's default.

    Raises:
        OAuthError: a scope is unknown or speaks of a user, or there is none at all.
    """
    scopes = _known_scopes(server, requested)
    if set(scopes) & set(OIDC_SCOPES):
        raise OAuthError(ErrorCase.SCOPE_NEEDS_USER)
    return scopes


def scopes_with_user(server: Server, requested: str) -> tuple[str, ...]:
    """Return the scopes that a client gets to act for a user.

    Raises:
        OAuthError: a scope is unknown or needs ``openid`` beside it, or there is none at all.
    """
    scopes = _known_scopes(server, requested)
    if set(scopes) & _ID_TOKEN_SCOPES and "openid" not in scopes:
        raise OAuthError(ErrorCase.SCOPE_NEEDS_OPENID)
    return scopes


def _known_scopes(server: Server, requested: str) -> tuple[str, ...]:
    if len(requested) > _MAX_SCOPE_LENGTH:
        raise OAuthError(ErrorCase.SCOPE_TOO_LONG)
    scopes = scope_tokens(requested) or server.default_scopes
    if not scopes:
        raise OAuthError(ErrorCase.SCOPE_MISSING)
    check_known(server, scopes)
    return scopes
