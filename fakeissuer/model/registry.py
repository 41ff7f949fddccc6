"""Who and what the fake issuer knows: authorization servers, clients, users. Tests may add, change and remove them."""

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
"""What stands below ``/oauth2/`` already, or is a server of another sort, and cannot be the id of a custom server."""


@dataclass
class Registry:
    """The servers, clients and users there are, by id and by login."""

    servers: dict[str, Server]
    clients: dict[str, Client]
    users: dict[str, User]

    def copy(self) -> Registry:
        """Return a directory that can be changed without changing this one."""
        return Registry(dict(self.servers), dict(self.clients), dict(self.users))

    def server(self, server_id: str) -> Server:
        """Return the server of that id.

        Raises:
            InvalidRequestError: there is none; what there is, is named.
        """
        if server_id not in self.servers:
            raise InvalidRequestError(f"There is no server of that id; there are: {', '.join(self.servers)}.")
        return self.servers[server_id]

    def user(self, login: str) -> User:
        """Return the user of that login; one who is not registered is made up, the same each time."""
        return self.users.get(login) or User(login=login)

    def get(self, kind: ResourceKind, name: str) -> User | Client | Server:
        """Return an entry.

        Raises:
            NotFoundError: there is none of that name.
            InvalidRequestError: there is no such kind.
        """
        resources = self._resources(kind)
        if name not in resources:
            raise NotFoundError(f"There is nothing of that name among the {kind}.")
        resource: User | Client | Server = resources[name]
        return resource

    def put(self, kind: ResourceKind, name: str, members: Mapping[str, Any]) -> User | Client | Server:
        """Add an entry made of these members, or put it in the place of the one of that name.

        Raises:
            InvalidRequestError: there is no such kind, or the members are not those of such an entry, or name another
                one
                or what there is not.
        """
        resources = self._resources(kind)
        key_member, record = _KEY_MEMBERS[kind]
        if members.get(key_member, name) != name:
            raise InvalidRequestError(f"The member {key_member} is not the name in the path; leave it out.")
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
        """Remove an entry and return what it was.

        Raises:
            NotFoundError: there is none of that name.
            InvalidRequestError: there is no such kind, or it is the org server, which every org has.
        """
        resource = self.get(kind, name)
        if kind == "servers" and name == ORG:
            raise InvalidRequestError("The org server cannot be removed.")
        del self._resources(kind)[name]
        return resource

    def _check_policy(self, server: Server) -> None:
        # A rule that names nobody fits nobody: a mistyped name would look like a policy that denies.
        groups = dict.fromkeys(("Everyone", *(group for user in self.users.values() for group in user.groups)))
        try:
            for number, rule in enumerate(server.policy):
                check_known_names(f"policy[{number}].clients", rule.clients or (), self.clients)
                check_known_names(f"policy[{number}].groups", rule.groups or (), groups)
        except ValueError as exc:
            raise InvalidRequestError(f"This was not accepted: {exc}.") from exc

    def _resources(self, kind: ResourceKind) -> dict[str, Any]:
        if kind not in _KEY_MEMBERS:
            raise InvalidRequestError(f"There is nothing of that kind; the kinds are {', '.join(_KEY_MEMBERS)}.")
        resources: dict[str, Any] = getattr(self, kind)
        return resources
