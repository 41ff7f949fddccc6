"""The registered authorization servers, clients and users, which tests can add, change and remove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fakeissuer.errors import InvalidRequestError, NotFoundError
from fakeissuer.model.checks import check_known_names
from fakeissuer.model.claim_templates import check_placeholders
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ORG
from fakeissuer.model.records import to_record
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User

ResourceKind = Literal["users", "clients", "servers"]

_KEY_MEMBERS: dict[ResourceKind, tuple[str, type[User | Client | Server]]] = {
    "users": ("login", User),
    "clients": ("id", Client),
    "servers": ("id", Server),
}
_RESERVED_IDS = frozenset({"v1", ORG})
"""IDs that a custom server cannot have, because their URLs belong to the org server."""


@dataclass
class Registry:
    """Servers and clients by id, users by login."""

    servers: dict[str, Server]
    clients: dict[str, Client]
    users: dict[str, User]

    def copy(self) -> Registry:
        """Return an independent copy."""
        return Registry(dict(self.servers), dict(self.clients), dict(self.users))

    def server(self, server_id: str) -> Server:
        """Return the server of that id.

        Raises:
            InvalidRequestError: there is no such server.
        """
        if server_id not in self.servers:
            raise InvalidRequestError(f"There is no server of that id; there are: {', '.join(self.servers)}.")
        return self.servers[server_id]

    def user(self, login: str) -> User:
        """Return the user of that login; an unregistered user is derived from the login."""
        return self.users.get(login) or User(login=login)

    def get(self, kind: ResourceKind, name: str) -> User | Client | Server:
        """Return a resource.

        Raises:
            NotFoundError: there is no resource of that name.
            InvalidRequestError: there is no such kind.
        """
        resources = self._resources(kind)
        if name not in resources:
            raise NotFoundError(f"There is no resource of that name in {kind}.")
        resource: User | Client | Server = resources[name]
        return resource

    def put(self, kind: ResourceKind, name: str, members: Mapping[str, Any]) -> User | Client | Server:
        """Add or replace a resource.

        Raises:
            InvalidRequestError: there is no such kind, or the members are invalid or refer to unknown names.
        """
        resources = self._resources(kind)
        key_member, record = _KEY_MEMBERS[kind]
        if members.get(key_member, name) != name:
            raise InvalidRequestError(f"The member {key_member} differs from the name in the path; omit it.")
        if kind == "servers" and name in _RESERVED_IDS:
            raise InvalidRequestError(f"A custom server cannot be called {' or '.join(sorted(_RESERVED_IDS))}.")
        resource: User | Client | Server = to_record({**members, key_member: name}, record)
        check_placeholders(resource.claims)
        check_placeholders(resource.id_token_claims)
        if isinstance(resource, Server):
            self._check_policy(resource)
        resources[name] = resource
        return resource

    def remove(self, kind: ResourceKind, name: str) -> User | Client | Server:
        """Remove and return a resource.

        Raises:
            NotFoundError: there is no resource of that name.
            InvalidRequestError: there is no such kind, or it is the org server, which always exists.
        """
        resource = self.get(kind, name)
        if kind == "servers" and name == ORG:
            raise InvalidRequestError("The org server cannot be removed.")
        del self._resources(kind)[name]
        return resource

    def _check_policy(self, server: Server) -> None:
        # A rule with a mistyped name would match no request, and look like a policy that denies access.
        groups = dict.fromkeys(("Everyone", *(group for user in self.users.values() for group in user.groups)))
        try:
            for number, rule in enumerate(server.policy):
                check_known_names(f"policy[{number}].clients", rule.clients or (), self.clients)
                check_known_names(f"policy[{number}].groups", rule.groups or (), groups)
        except ValueError as exc:
            raise InvalidRequestError(f"The request is invalid: {exc}.") from exc

    def _resources(self, kind: ResourceKind) -> dict[str, Any]:
        if kind not in _KEY_MEMBERS:
            raise InvalidRequestError(f"There is no such kind; expected one of {', '.join(_KEY_MEMBERS)}.")
        resources: dict[str, Any] = getattr(self, kind)
        return resources
