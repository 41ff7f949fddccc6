"""The fake issuer as a test sees it: what it can be asked, and what it can be told to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import Minted, MintRequest
from fakeissuer.control.overview import Approval, Overview, overview
from fakeissuer.errors import NotThere, Refused, Unacceptable
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINT_NAMES, EndpointName
from fakeissuer.model.records import moment_of
from fakeissuer.model.registry import EntryKind
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.authorization import backchannel
from fakeissuer.state.clock import Clock
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import Requests
from fakeissuer.state.key_ring import KeyRing, KeyStatus
from fakeissuer.state.pending import BackchannelAuthentication
from fakeissuer.state.state import State

if TYPE_CHECKING:
    from fakeissuer.control.bad_tokens import BadToken

LONGEST_LAG_S = 86_400


class FakeIssuer:
    """State and script in one place; every method belongs on the event loop that serves the issuer.

    Whatever is refused raises `Unacceptable` or `NotThere`, and nothing has changed then.
    """

    def __init__(self, state: State) -> None:
        """Drive this state."""
        self.state = state

    @property
    def clock(self) -> Clock:
        """The issuer's wall clock."""
        return self.state.clock

    def issuer_url(self, server: str = "default", requested_url: str | None = None) -> str:
        """Return the issuer identifier of a server."""
        return self.state.addresses.issuer(self.state.directory.server(server), requested_url)

    def overview(self) -> Overview:
        """Return the servers, clients and users there are, and the paths of the control plane."""
        return overview(self.state)

    def mint(self, request: MintRequest, requested_url: str | None = None) -> Minted:
        """Return the token that was asked for; see `MintRequest`."""
        return mint(self.state, request, requested_url)

    def bad_tokens(self, server: str = "default") -> list[BadToken]:
        """Return the catalogue of bad tokens for a server."""
        from fakeissuer.control.bad_tokens import bad_tokens  # noqa: PLC0415 - a hundred rows that a start does not wait for

        return bad_tokens(self.state, server)

    def revoke(self, token: str) -> None:
        """Revoke a token, whichever client it belongs to."""
        if not self.state.store.revoke(token):
            raise NotThere("This token was not issued here, so it cannot be revoked.")

    def approvals(self) -> list[Approval]:
        """Return what waits for users, the oldest first (CIBA)."""
        return [_approval(awaited) for awaited in backchannel.waiting_for(self.state)]

    def settle(self, login: str, *, allow: bool) -> list[Approval]:
        """Approve or deny all that waits for a user, and return what that was."""
        waiting = backchannel.waiting_for(self.state, login)
        if not waiting:
            raise NotThere("Nothing waits for a user of that login.")
        try:
            backchannel.settle(self.state, waiting, is_allowed=allow)
        except Refused as refused:
            raise Unacceptable(str(refused)) from refused
        return [_approval(awaited) for awaited in waiting]

    def plan_fault(self, fault: Fault) -> Fault:
        """Make something go wrong; see `Fault`."""
        if fault.server is not None:
            self.state.directory.server(fault.server)
        self.state.faults.add(fault)
        return fault

    def keys(self, server: str = "default") -> list[KeyStatus]:
        """Return each key of a server: its kid, its status, whether it is published."""
        return self._ring(server).statuses()

    def key_set(self, server: str = "default") -> dict[str, list[dict[str, Any]]]:
        """Return the published keys of a server as a JWK Set."""
        return self._ring(server).key_set()

    def rotate(self, server: str = "default") -> list[KeyStatus]:
        """Make the server's NEXT key its ACTIVE one, now; the old one stays published as EXPIRED."""
        self._ring(server).rotate(self.clock.now())
        return self.keys(server)

    def lag(self, server: str = "default", seconds: float | None = None) -> list[KeyStatus]:
        """Sign with a key that the key set does not show yet: for so many seconds, or until `end_lag`."""
        lasts = None if seconds is None else moment_of(seconds)
        if seconds is not None and (lasts is None or not 0 <= lasts <= LONGEST_LAG_S):
            raise Unacceptable(f"A lag lasts 0 to {LONGEST_LAG_S} seconds, or until it is ended if none are named.")
        now = self.clock.now()
        self._ring(server).lag(now, hidden_until=None if lasts is None else now + lasts)
        return self.keys(server)

    def end_lag(self, server: str = "default") -> list[KeyStatus]:
        """Publish the key that a lag has kept back."""
        self._ring(server).end_lag()
        return self.keys(server)

    def withdraw(self, kid: str, server: str | None = None) -> list[KeyStatus]:
        """Take a key out of its key set at once; whether it signs does not change."""
        for candidate in self.state.directory.servers if server is None else (server,):
            if self._ring(candidate).withdraw(kid):
                return self.keys(candidate)
        raise NotThere("There is no key of that kid.")

    def requests(
        self, endpoint: EndpointName | None = None, server: str | None = None, latest: int | None = None
    ) -> Requests:
        """Return the requests that were made: to one endpoint or to all, of one server or of all."""
        if endpoint is not None and endpoint not in ENDPOINT_NAMES:
            raise Unacceptable(f"There is no endpoint of that name; there are: {', '.join(ENDPOINT_NAMES)}.")
        if server is not None:
            self.state.directory.server(server)
        return self.state.journal.read(endpoint, server, latest)

    def entry(self, kind: EntryKind, name: str) -> Server | Client | User:
        """Return a user, client or server."""
        return self.state.directory.entry(kind, name)

    def put(self, kind: EntryKind, name: str, members: Mapping[str, Any]) -> Server | Client | User:
        """Add a user, client or server, or put it in the place of the one of that name."""
        return self.state.directory.put(kind, name, members)

    def remove(self, kind: EntryKind, name: str) -> Server | Client | User:
        """Remove a user, client or server, and return what it was; a user's tokens and sessions end then."""
        removed = self.state.directory.remove(kind, name)
        if kind == "servers":
            self.state.forget_keys(name)
        if kind == "users":
            self.state.store.revoke_user(name)
            self.state.sessions.end(name, self.clock.now())
        return removed

    def reset(self) -> None:
        """Return to the state of the start."""
        self.state.reset()

    def _ring(self, server: str) -> KeyRing:
        return self.state.ring(self.state.directory.server(server))


def _approval(awaited: BackchannelAuthentication) -> Approval:
    return Approval(
        login=awaited.login,
        client_id=awaited.client_id,
        scopes=awaited.scopes,
        binding_message=awaited.binding_message,
    )
