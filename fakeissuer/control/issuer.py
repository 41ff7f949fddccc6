"""The fake issuer as a test sees it: what it can be asked, and what it can be told to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import MintedToken, MintRequest
from fakeissuer.control.overview import Approval, Overview, overview
from fakeissuer.errors import InvalidRequestError, NotFoundError, OAuthError
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINT_NAMES, EndpointName
from fakeissuer.model.records import parse_numeric_date
from fakeissuer.model.registry import ResourceKind
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.authorization import backchannel
from fakeissuer.state.clock import Clock
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import Requests
from fakeissuer.state.key_ring import KeyRing, KeyStatus
from fakeissuer.state.pending import BackchannelAuthentication
from fakeissuer.state.state import IssuerState

if TYPE_CHECKING:
    from fakeissuer.control.bad_tokens import BadToken

_MAX_PUBLICATION_DELAY_S = 86_400


class FakeIssuer:
    """IssuerState and script in one place; every method belongs on the event loop that serves the issuer.

    Whatever is refused raises ``InvalidRequestError`` or ``NotFoundError``, and nothing has changed then.
    """

    def __init__(self, state: IssuerState) -> None:
        """Drive this state."""
        self.state = state

    @property
    def clock(self) -> Clock:
        """The issuer's wall clock."""
        return self.state.clock

    def issuer_url(self, server: str = "default", requested_url: str | None = None) -> str:
        """Return the issuer identifier of a server."""
        return self.state.urls.issuer(self.state.registry.server(server), requested_url)

    def overview(self) -> Overview:
        """Return the servers, clients and users there are, and the paths of the control plane."""
        return overview(self.state)

    def mint(self, request: MintRequest, requested_url: str | None = None) -> MintedToken:
        """Return the token that was asked for; see ``MintRequest``."""
        return mint(self.state, request, requested_url)

    def bad_tokens(self, server: str = "default") -> list[BadToken]:
        """Return the catalogue of bad tokens for a server."""
        from fakeissuer.control.bad_tokens import bad_tokens  # noqa: PLC0415  # a hundred rows that a start does not wait for

        return bad_tokens(self.state, server)

    def revoke(self, token: str) -> None:
        """Revoke a token, whichever client it belongs to."""
        if not self.state.store.revoke(token):
            raise NotFoundError("This token was not issued here, so it cannot be revoked.")

    def approvals(self) -> list[Approval]:
        """Return what waits for users, the oldest first (CIBA)."""
        return [_approval(authentication) for authentication in backchannel.pending_for(self.state)]

    def resolve(self, login: str, *, allow: bool) -> list[Approval]:
        """Approve or deny all that waits for a user, and return what that was."""
        pending = backchannel.pending_for(self.state, login)
        if not pending:
            raise NotFoundError("Nothing waits for a user of that login.")
        try:
            backchannel.resolve(self.state, pending, is_allowed=allow)
        except OAuthError as error:
            raise InvalidRequestError(str(error)) from error
        return [_approval(authentication) for authentication in pending]

    def plan_fault(self, fault: Fault) -> Fault:
        """Make something go wrong; see ``Fault``."""
        if fault.server is not None:
            self.state.registry.server(fault.server)
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

    def delay_publication(self, server: str = "default", seconds: float | None = None) -> list[KeyStatus]:
        """Sign with a key that the key set does not show yet: for so many seconds, or until ``publish_now``."""
        lasts = None if seconds is None else parse_numeric_date(seconds)
        if seconds is not None and (lasts is None or not 0 <= lasts <= _MAX_PUBLICATION_DELAY_S):
            raise InvalidRequestError(
                f"A lag lasts 0 to {_MAX_PUBLICATION_DELAY_S} seconds, or until it is ended if none are named."
            )
        now = self.clock.now()
        self._ring(server).delay_publication(now, hidden_until=None if lasts is None else now + lasts)
        return self.keys(server)

    def publish_now(self, server: str = "default") -> list[KeyStatus]:
        """Publish the key that a lag has kept back."""
        self._ring(server).publish_now()
        return self.keys(server)

    def withdraw(self, kid: str, server: str | None = None) -> list[KeyStatus]:
        """Take a key out of its key set at once; whether it signs does not change."""
        for candidate in self.state.registry.servers if server is None else (server,):
            if self._ring(candidate).withdraw(kid):
                return self.keys(candidate)
        raise NotFoundError("There is no key of that kid.")

    def requests(
        self, endpoint: EndpointName | None = None, server: str | None = None, latest: int | None = None
    ) -> Requests:
        """Return the requests that were made: to one endpoint or to all, of one server or of all."""
        if endpoint is not None and endpoint not in ENDPOINT_NAMES:
            raise InvalidRequestError(f"There is no endpoint of that name; there are: {', '.join(ENDPOINT_NAMES)}.")
        if server is not None:
            self.state.registry.server(server)
        return self.state.journal.read(endpoint, server, latest)

    def get(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Return a user, client or server."""
        return self.state.registry.get(kind, name)

    def put(self, kind: ResourceKind, name: str, members: Mapping[str, Any]) -> Server | Client | User:
        """Add a user, client or server, or put it in the place of the one of that name."""
        return self.state.registry.put(kind, name, members)

    def remove(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Remove a user, client or server, and return what it was; a user's tokens and sessions end then."""
        removed = self.state.registry.remove(kind, name)
        if kind == "servers":
            self.state.key_rings.remove(name)
        if kind == "users":
            self.state.store.revoke_user(name)
            self.state.sessions.end(name, self.clock.now())
        return removed

    def reset(self) -> None:
        """Return to the state of the start."""
        self.state.reset()

    def _ring(self, server: str) -> KeyRing:
        return self.state.key_rings.for_server(self.state.registry.server(server))


def _approval(authentication: BackchannelAuthentication) -> Approval:
    return Approval(
        login=authentication.login,
        client_id=authentication.client_id,
        scopes=authentication.scopes,
        binding_message=authentication.binding_message,
    )
