"""The scopes that a request may have (RFC 6749 section 3.3): those of the server that its access policy allows."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import OIDC_SCOPES, PolicyRule, Server
from fakeissuer.model.users import User

_MAX_SCOPE_LENGTH = 1024
_ID_TOKEN_SCOPES = frozenset({"profile", "email", "address", "phone"})


def scope_tokens(text: str) -> tuple[str, ...]:
    """Return the scope tokens of a string without duplicates; only the space separates them."""
    return tuple(dict.fromkeys(scope for scope in text.split(" ") if scope))


def check_known(server: Server, scopes: tuple[str, ...]) -> None:
    """Check that the server has these scopes.

    Raises:
        OAuthError: The server does not have one of them.
    """
    if not set(scopes) <= set(server.scopes):
        raise OAuthError(ErrorCase.SCOPE_UNKNOWN)


def scopes_without_user(server: Server, requested: str) -> tuple[str, ...]:
    """Return the scopes of a client that acts for itself: the requested ones, or the server's default scopes.

    Raises:
        OAuthError: A scope is unknown or needs a user, or there are no scopes.
    """
    scopes = _known_scopes(server, requested)
    if set(scopes) & set(OIDC_SCOPES):
        raise OAuthError(ErrorCase.SCOPE_NEEDS_USER)
    return scopes


def scopes_with_user(server: Server, requested: str) -> tuple[str, ...]:
    """Return the scopes of a client that acts for a user: the requested ones, or the server's default scopes.

    Raises:
        OAuthError: A scope is unknown or requires ``openid``, or there are no scopes.
    """
    scopes = _known_scopes(server, requested)
    if set(scopes) & _ID_TOKEN_SCOPES and "openid" not in scopes:
        raise OAuthError(ErrorCase.SCOPE_NEEDS_OPENID)
    return scopes


def matching_rule(
    server: Server, grant_type: str, client: Client, user: User | None, scopes: tuple[str, ...]
) -> PolicyRule:
    """Return the first rule of the server's access policy that matches grant, client, user and scopes.

    Raises:
        OAuthError: No rule matches: ``POLICY_DENIES`` if only the scopes prevent it, else ``NO_POLICY``.
    """
    matching = [rule for rule in server.policy if _matches(rule, grant_type, client, user)]
    if not matching:
        raise OAuthError(ErrorCase.NO_POLICY)
    for rule in matching:
        if rule.scopes is None or set(scopes) <= set(rule.scopes):
            return rule
    raise OAuthError(ErrorCase.POLICY_DENIES)


def _known_scopes(server: Server, requested: str) -> tuple[str, ...]:
    if len(requested) > _MAX_SCOPE_LENGTH:
        raise OAuthError(ErrorCase.SCOPE_TOO_LONG)
    scopes = scope_tokens(requested) or server.default_scopes
    if not scopes:
        raise OAuthError(ErrorCase.SCOPE_MISSING)
    check_known(server, scopes)
    return scopes


def _matches(rule: PolicyRule, grant_type: str, client: Client, user: User | None) -> bool:
    return (
        (rule.grant_types is None or grant_type in rule.grant_types)
        and (rule.clients is None or client.id in rule.clients)
        # A client that acts for itself is in no group, so the groups of a rule do not apply to it.
        and (rule.groups is None or user is None or bool(set(rule.groups) & set(user.groups)))
    )
