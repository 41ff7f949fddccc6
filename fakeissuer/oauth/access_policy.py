"""The access policy of a server: the first rule that fits grant, client, user and scopes counts; without one, no."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import PolicyRule, Server
from fakeissuer.model.users import User


def matching_rule(
    server: Server, grant_type: str, client: Client, user: User | None, scopes: tuple[str, ...]
) -> PolicyRule:
    """Return the rule that allows it.

    Raises:
        OAuthError: no rule of the policy allows it; whether it is for the scopes alone is told apart.
    """
    matching = [rule for rule in server.policy if _matches(rule, grant_type, client, user)]
    if not matching:
        raise OAuthError(ErrorCase.NO_POLICY)
    for rule in matching:
        if rule.scopes is None or set(scopes) <= set(rule.scopes):
            return rule
    raise OAuthError(ErrorCase.POLICY_DENIES)


def _matches(rule: PolicyRule, grant_type: str, client: Client, user: User | None) -> bool:
    return (
        (rule.grant_types is None or grant_type in rule.grant_types)
        and (rule.clients is None or client.id in rule.clients)
        # A client for itself is in no group: a rule about users says nothing of it.
        and (rule.groups is None or user is None or bool(set(rule.groups) & set(user.groups)))
    )
