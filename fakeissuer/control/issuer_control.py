"""The operations that a test can perform on the issuer, over HTTP or in process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import MintedToken, MintRequest
from fakeissuer.control.overview import Approval, Overview, overview
from fakeissuer.errors import InvalidRequestError, NotFoundError, OAuthError
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINT_NAMES, EndpointName
from fakeissuer.model.records import parse_numeric_date, to_record
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
    from fakeissuer.control.bad_proofs import BadProof, BadProofsRequest
    from fakeissuer.control.bad_tokens import BadToken
    from fakeissuer.control.good_tokens import GoodToken

_MAX_PUBLICATION_DELAY_S = 86_400


class IssuerControl:
    """Every operation of the control plane; call the methods on the event loop that serves the issuer.

    An invalid call raises ``InvalidRequestError`` or ``NotFoundError`` and changes nothing.
    ``call_paths`` are the paths below ``/_fake/`` that the overview links to.
    """

    def __init__(self, state: IssuerState, call_paths: Sequence[str] = ()) -> None:
        self.state = state
        self._call_paths = tuple(call_paths)

    @property
    def clock(self) -> Clock:
        """The issuer's wall clock."""
        return self.state.clock

    def issuer_url(self, server: str = "default") -> str:
        """Return the issuer identifier of a server, which an API should trust."""
        return self.state.urls.issuer(self.state.registry.server(server))

    def overview(self) -> Overview:
        """Return the registered servers, clients and users, and the URLs of the control plane."""
        return overview(self.state, self._call_paths)

    def token(self, /, **members: Any) -> str:
        """Return any token; the members are those of ``MintRequest``: ``sub``, ``scp``, ``expires_in`` and so on."""
        return self.mint(**members).token

    def mint(self, /, **members: Any) -> MintedToken:
        """Return any token with its header and claims; the members are those of ``MintRequest``."""
        return self.mint_requested(to_record(members, MintRequest))

    def mint_requested(self, request: MintRequest, requested_url: str | None = None) -> MintedToken:
        """Return the token that a request describes; ``requested_url`` is the issuer of a ``DYNAMIC`` server."""
        return mint(self.state, request, requested_url)

    def bad_tokens(self, server: str = "default") -> list[BadToken]:
        """Return the catalogue of bad tokens, each with the rule it breaks and the correct status and error."""
        from fakeissuer.control.bad_tokens import bad_tokens  # noqa: PLC0415  # importing the catalogue slows the start

        return bad_tokens(self.state, server)

    def good_tokens(self, server: str = "default") -> list[GoodToken]:
        """Return the catalogue of good tokens, each with what it has in common with a bad one."""
        from fakeissuer.control.good_tokens import good_tokens  # noqa: PLC0415  # as above

        return good_tokens(self.state, server)

    def bad_proofs(self, /, method: str, url: str, **members: Any) -> list[BadProof]:
        """Return the catalogue of bad DPoP proofs for a request; the members are those of ``BadProofsRequest``."""
        from fakeissuer.control.bad_proofs import BadProofsRequest  # noqa: PLC0415  # as above

        return self.bad_proofs_requested(to_record({"method": method, "url": url, **members}, BadProofsRequest))

    def bad_proofs_requested(self, request: BadProofsRequest) -> list[BadProof]:
        """Return the catalogue of bad DPoP proofs, each with the rule it breaks and the correct status and error."""
        from fakeissuer.control.bad_proofs import bad_proofs  # noqa: PLC0415  # as above

        return bad_proofs(self.state, request)

    def revoke(self, token: str) -> None:
        """Revoke a token of any client."""
        if not self.state.store.revoke(token):
            raise NotFoundError("This token was not issued here, so it cannot be revoked.")

    def approvals(self) -> list[Approval]:
        """Return the pending CIBA requests of all users, oldest first."""
        return [_approval(authentication) for authentication in backchannel.pending_for(self.state)]

    def approve(self, login: str, *, allow: bool = True) -> list[Approval]:
        """Approve or deny all pending CIBA requests of a user, and return them."""
        pending = backchannel.pending_for(self.state, login)
        if not pending:
            raise NotFoundError("There is no pending request for a user with that login.")
        try:
            backchannel.resolve(self.state, pending, is_allowed=allow)
        except OAuthError as error:
            raise InvalidRequestError(str(error)) from error
        return [_approval(authentication) for authentication in pending]

    def fail(self, /, endpoint: EndpointName, **members: Any) -> Fault:
        """Inject a fault at an endpoint; the members are those of ``Fault``."""
        return self.add_fault(to_record({"endpoint": endpoint, **members}, Fault))

    def add_fault(self, fault: Fault) -> Fault:
        """Inject a fault; see ``Fault``."""
        if fault.server is not None:
            self.state.registry.server(fault.server)
        self.state.faults.add(fault)
        return fault

    def faults(self) -> list[Fault]:
        """Return the active faults; ``times`` is the number of requests that each still affects."""
        return self.state.faults.planned()

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.state.faults.clear()

    def keys(self, server: str = "default") -> list[KeyStatus]:
        """Return the key ID and status of each key of a server, and whether the key is published."""
        return self._ring(server).statuses()

    def key_set(self, server: str = "default") -> dict[str, list[dict[str, Any]]]:
        """Return the published keys of a server as a JWK Set, as the keys endpoint returns them."""
        found = self.state.registry.server(server)
        return self.state.key_rings.key_set(found, self.state.urls.of(found).base_url)

    def rotate(self, server: str = "default") -> list[KeyStatus]:
        """Make the server's NEXT key its ACTIVE key; the old one stays published as EXPIRED."""
        self._ring(server).rotate(self.clock.now())
        return self.keys(server)

    def delay_publication(self, server: str = "default", *, seconds: float | None = None) -> list[KeyStatus]:
        """Sign with a new key that is not published for so many seconds, or until ``publish_now``."""
        lasts = None if seconds is None else parse_numeric_date(seconds)
        if seconds is not None and (lasts is None or not 0 <= lasts <= _MAX_PUBLICATION_DELAY_S):
            raise InvalidRequestError(
                f"seconds must be a number from 0 to {_MAX_PUBLICATION_DELAY_S}; without it the key stays unpublished."
            )
        now = self.clock.now()
        self._ring(server).delay_publication(now, hidden_until=None if lasts is None else now + lasts)
        return self.keys(server)

    def publish_now(self, server: str = "default") -> list[KeyStatus]:
        """Publish a key whose publication was delayed."""
        self._ring(server).publish_now()
        return self.keys(server)

    def withdraw(self, kid: str, server: str | None = None) -> list[KeyStatus]:
        """Remove a key from its key set immediately; an active key still signs."""
        for candidate in self.state.registry.servers if server is None else (server,):
            if self._ring(candidate).withdraw(kid):
                return self.keys(candidate)
        raise NotFoundError("There is no key with that kid.")

    def requests(
        self, endpoint: EndpointName | None = None, *, server: str | None = None, latest: int | None = None
    ) -> Requests:
        """Return the number of requests and connections, and the latest requests in full; None means no restriction."""
        if endpoint is not None and endpoint not in ENDPOINT_NAMES:
            raise InvalidRequestError(f"There is no endpoint of that name; there are: {', '.join(ENDPOINT_NAMES)}.")
        if server is not None:
            self.state.registry.server(server)
        return self.state.journal.read(endpoint, server, latest)

    def clear_requests(self) -> None:
        """Delete the recorded requests and their counts."""
        self.state.journal.clear()

    def get(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Return one of the ``users``, ``clients`` or ``servers``."""
        return self.state.registry.get(kind, name)

    def put(self, kind: ResourceKind, name: str, /, **members: Any) -> Server | Client | User:
        """Add or replace one of the ``users``, ``clients`` or ``servers``."""
        return self.state.registry.put(kind, name, members)

    def remove(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Remove and return one of the ``users``, ``clients`` or ``servers``; a user's tokens and sessions end, too."""
        removed = self.state.registry.remove(kind, name)
        if kind == "servers":
            self.state.key_rings.remove(name)
        if kind == "users":
            self.state.store.revoke_user(name)
            self.state.sessions.end(name, self.clock.now())
        return removed

    def reset(self) -> None:
        """Restore the initial state."""
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
