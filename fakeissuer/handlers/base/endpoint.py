"""What all of Okta's endpoints do: they are counted, may go wrong on purpose, and answer in Okta's shapes."""

from __future__ import annotations

import re
from typing import ClassVar

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.fault_injection import BODY_FAULTS, SOCKET_FAULTS, status_reply
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.handlers.base.parameters import form_arguments, single_values
from fakeissuer.model.endpoints import ENDPOINTS, ORG, EndpointName
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply, rate_limit_headers
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import UNKNOWN_SERVER, JournalEntry

_MAX_PATH_LENGTH = 500
"""How much of a path the journal keeps: a client may write a thousand times as much."""
_SCHEMES = ("Basic", "Bearer", "DPoP")
_PREFLIGHT_AGE_S = 3600
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,100}(?:, ?[A-Za-z0-9-]{1,100}){0,50}")


class EndpointHandler(OktaHandler):
    """One endpoint of every server: it says its name, and what it answers."""

    endpoint: ClassVar[EndpointName]
    is_limited: ClassVar[bool] = False
    """Whether Okta counts the requests, and tells of its limit."""

    async def get(self, server: str | None = None) -> None:
        """Answer whatever the method is; a server that the path does not name is the org's."""
        # Below /oauth2/ there is no org server: named there, it is a custom server that does not exist.
        await self.handle(f"/{ORG}" if server == ORG else server or ORG)

    head = post = put = delete = patch = options = get

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that are answered."""
        return ENDPOINTS[self.endpoint].methods

    def respond(self, server: Server) -> Reply:
        """Return the endpoint's own answer.

        Raises:
            OAuthError: it has none for this request.
        """
        raise NotImplementedError

    def endpoint_error(self, server: Server, error: OAuthError) -> Reply:  # noqa: ARG002  # some name the server in their answer
        """Return the answer to a request that ``respond`` refused."""
        return self.error_reply(error)

    def common_headers(self) -> dict[str, str]:
        """Return what goes with every answer; where there is a rate limit it is told, and never reached."""
        limit = rate_limit_headers(self.state.clock.now()) if self.is_limited else {}
        return super().common_headers() | limit

    async def handle(self, server_id: str) -> None:
        """Count the request, answer it, and put the answer on the wire, whole or spoilt."""
        entry = self._record(server_id)
        fault = None
        if self.request.method != "OPTIONS":
            fault = self.state.faults.take(self.endpoint, server_id)
        entry.fault = fault.kind if fault else None
        reply = self.with_common_headers(await self._reply(server_id, fault))
        entry.status = None if entry.fault == "drop" else reply.status
        if fault is not None and fault.kind in SOCKET_FAULTS:
            await self.fault_injector.send_faulty(self.detach(), reply, fault)
        else:
            self.send(reply)

    def issuer_of(self, server: Server) -> str:
        """Return the issuer identifier of a server, as far as this request may have a say in it."""
        return self.state.urls.issuer(server, self.requested_url)

    @property
    def requested_url(self) -> str:
        """The URL by which the client called; only a server that is DYNAMIC goes by it."""
        return f"{self.request.protocol}://{self.request.host}"

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body.

        Raises:
            OAuthError: the body is no form, or a parameter came twice (RFC 6749 section 3.2).
        """
        arguments = form_arguments(self.request)
        if arguments is None:
            raise OAuthError(ErrorCase.FORM_EXPECTED)
        return single_values(arguments)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL.

        Raises:
            OAuthError: a parameter came twice.
        """
        return single_values(self.request.query_arguments)

    async def _reply(self, server_id: str, fault: Fault | None) -> Reply:
        if fault is None:
            return self._respond_or_reject(server_id)
        if fault.status is not None:
            return status_reply(fault, self.error_reply)
        if fault.refuse is not None:
            return self._respond_or_reject(server_id, ErrorCase[fault.refuse.upper()])
        if fault.redirect is not None:
            location = fault.redirect if isinstance(fault.redirect, str) else self.request.full_url()
            return Reply(302, headers={"Location": location})
        if fault.delay is not None:
            await self.fault_injector.pause(fault.delay)
        reply = self._respond_or_reject(server_id)
        return BODY_FAULTS[fault.kind](reply, fault) if fault.kind in BODY_FAULTS else reply

    def _respond_or_reject(self, server_id: str, forced_case: ErrorCase | None = None) -> Reply:
        server = self.state.registry.servers.get(server_id)
        if server is None:
            return self.reject(OAuthError(ErrorCase.NO_SUCH_SERVER, server_id))
        if self.request.method == "OPTIONS":
            return _preflight(self.methods, self.request.headers.get("Access-Control-Request-Headers", ""))
        if forced_case is not None:
            return self.endpoint_error(server, OAuthError(forced_case, "on demand"))
        if self.request.method not in self.methods:
            return self.reject(OAuthError(ErrorCase.METHOD_NOT_ALLOWED))
        try:
            return self.respond(server)
        except OAuthError as error:
            return self.endpoint_error(server, error)

    def _record(self, server_id: str) -> JournalEntry:
        scheme = self.request.headers.get("Authorization", "").partition(" ")[0].lower()
        entry = JournalEntry(
            method=self.request.method or "",
            path=self.request.path[:_MAX_PATH_LENGTH],
            endpoint=self.endpoint,
            server=server_id if server_id in self.state.registry.servers else UNKNOWN_SERVER,
            time=self.state.clock.now(),
            connection=self.state.connections.number(self.request.server_connection),
            credentials=next((known for known in _SCHEMES if known.lower() == scheme), "other" if scheme else None),
        )
        self.state.journal.add(entry)
        return entry


def _preflight(methods: tuple[str, ...], requested: str) -> Reply:
    # Okta's own libraries send headers of theirs, such as X-Okta-User-Agent-Extended, so whatever is asked for is fine.
    headers = {
        "Access-Control-Allow-Methods": ", ".join(method for method in methods if method != "HEAD"),
        "Access-Control-Allow-Headers": requested
        if _HEADER_NAMES.fullmatch(requested)
        else "Authorization, Content-Type, DPoP",
        "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
    }
    return Reply(204, headers=headers)
