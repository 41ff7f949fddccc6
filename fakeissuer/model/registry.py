"""Who and what the fake issuer knows: authorization servers, clients, users. Tests may add, change and remove them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fakeissuer.errors import NotThere, Unacceptable
from fakeissuer.model.checks import check_among
from fakeissuer.model.claim_templates import check_places
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ORG
from fakeissuer.model.records import accept
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User

EntryKind = Literal["users", "clients", "servers"]

_KEY_MEMBERS: dict[EntryKind, tuple[str, type[User | Client | Server]]] = {
    "users": ("login", User),
    "clients": ("id", Client),
    "servers": ("id", Server),
}
_TAKEN_IDS = frozenset({"v1", ORG})
"""What stands below `/oauth2/` already, or is a server of another sort, and cannot be the id of a custom server."""


@dataclass
class Directory:
    """The servers, clients and users there are, by id and by login."""

    servers: dict[str, Server]
    clients: dict[str, Client]
    users: dict[str, User]

    def copy(self) -> Directory:
        """Return a directory that can be changed without changing this one."""
        return Directory(dict(self.servers), dict(self.clients), dict(self.users))

    def server(self, server_id: str) -> Server:
        """Return the server of that id.

        Raises:
            Unacceptable: there is none; what there is, is named.
        """
        if server_id not in self.servers:
            raise Unacceptable(f"There is no server of that id; there are: {', '.join(self.servers)}.")
        return self.servers[server_id]

    def user(self, login: str) -> User:
        """Return the user of that login; one who is not registered is made up, the same each time."""
        return self.users.get(login) or User(login=login)

    def entry(self, kind: EntryKind, name: str) -> User | Client | Server:
        """Return an entry.

        Raises:
            NotThere: there is none of that name.
            Unacceptable: there is no such kind.
        """
        entries = self._entries(kind)
        if name not in entries:
            raise NotThere(f"There is nothing of that name among the {kind}.")
        found: User | Client | Server = entries[name]
        return found

    def put(self, kind: EntryKind, name: str, members: Mapping[str, Any]) -> User | Client | Server:
        """Add an entry made of these members, or put it in the place of the one of that name.

        Raises:
            Unacceptable: there is no such kind, or the members are not those of such an entry, or name another one
                or what there is not.
        """
        entries = self._entries(kind)
        key_member, record = _KEY_MEMBERS[kind]
        if members.get(key_member, name) != name:
            raise Unacceptable(f"The member {key_member} is not the name in the path; leave it out.")
        if kind == "servers" and name in _TAKEN_IDS:
            raise Unacceptable(f"A custom server cannot be called {' or '.join(sorted(_TAKEN_IDS))}.")
        entry: User | Client | Server = accept({**members, key_member: name}, record)
        check_places(entry.claims)
        check_places(entry.id_token_claims)
        if isinstance(entry, Server):
            self._check_policy(entry)
        entries[name] = entry
        return entry

    def remove(self, kind: EntryKind, name: str) -> User | Client | Server:
        """Remove an entry and return what it was.

        Raises:
            NotThere: there is none of that name.
            Unacceptable: there is no such kind, or it is the org server, which every org has.
        """
        entry = self.entry(kind, name)
        if kind == "servers" and name == ORG:
            raise Unacceptable("The org server cannot be removed.")
        del self._entries(kind)[name]
        return entry

    def _check_policy(self, server: Server) -> None:
        # A rule that names nobody fits nobody: a mistyped name would look like a policy that denies.
        groups = dict.fromkeys(("Everyone", *(group for user in self.users.values() for group in user.groups)))
        try:
            for number, rule in enumerate(server.policy):
                check_among(f"policy[{number}].clients", rule.clients or (), self.clients)
                check_among(f"policy[{number}].groups", rule.groups or (), groups)
        except ValueError as exc:
            raise Unacceptable(f"This was not accepted: {exc}.") from exc

    def _entries(self, kind: EntryKind) -> dict[str, Any]:
        if kind not in _KEY_MEMBERS:
            raise Unacceptable(f"There is nothing of that kind; the kinds are {', '.join(_KEY_MEMBERS)}.")
        entries: dict[str, Any] = getattr(self, kind)
        return entries
