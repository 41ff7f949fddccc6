"""The access policy of a server: the first rule that fits grant, client, user and scopes counts; without one, no."""

from __future__ import annotations

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.model.clients import Client
from fakeissuer.model.servers import PolicyRule, Server
from fakeissuer.model.users import User


def fitting_rule(
    server: Server, grant_type: str, client: Client, user: User | None, scopes: tuple[str, ...]
) -> PolicyRule:
    """Return the rule that allows it.

    Raises:
        Refused: no rule of the policy allows it; whether it is for the scopes alone is told apart.
    """
    fitting = [rule for rule in server.policy if _fits(rule, grant_type, client, user)]
    if not fitting:
        raise Refused(Problem.NO_POLICY)
    for rule in fitting:
        if rule.scopes is None or set(scopes) <= set(rule.scopes):
            return rule
    raise Refused(Problem.POLICY_DENIES)


def _fits(rule: PolicyRule, grant_type: str, client: Client, user: User | None) -> bool:
    return (
        (rule.grant_types is None or grant_type in rule.grant_types)
        and (rule.clients is None or client.id in rule.clients)
        # A client for itself is in no group: a rule about users says nothing of it.
        and (rule.groups is None or user is None or bool(set(rule.groups) & set(user.groups)))
    )
