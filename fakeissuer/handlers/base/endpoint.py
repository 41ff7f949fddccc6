"""The base classes of the OAuth endpoints: journal, fault injection, rate limit headers, client authentication."""

from __future__ import annotations

import re
from typing import ClassVar

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.fault_injection import BODY_FAULTS, SOCKET_FAULTS, status_reply
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINTS, EndpointName
from fakeissuer.model.servers import Server
from fakeissuer.model.urls import ServerURLs, server_urls
from fakeissuer.oauth.client_authentication import authenticate, read_credentials
from fakeissuer.oauth.dpop import ProofContext, check_proof
from fakeissuer.responses.reply import Reply, rate_limit_headers
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import UNKNOWN_SERVER, JournalEntry

_MAX_PATH_LENGTH = 500
"""Characters of a path that the journal keeps; a client may send far longer ones."""
_SCHEMES = ("Basic", "Bearer", "DPoP")
_PREFLIGHT_AGE_S = 3600
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,100}(?:, ?[A-Za-z0-9-]{1,100}){0,50}")
_NO_STORE_HEADERS = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Expires": "0"}
"""Headers of every response that may contain or describe a token (RFC 6749 section 5.1)."""


class EndpointHandler(OktaHandler):
    """One endpoint of every server; subclasses set ``endpoint`` and implement ``respond``."""

    endpoint: ClassVar[EndpointName]
    is_limited: ClassVar[bool] = False
    """Whether Okta sends rate limit headers at this endpoint."""

    async def get(self, server: str | None = None) -> None:
        """Handle a request of any method; ``server`` is the part of the path that names the server."""
        await self.handle(self.state.urls.layout.server_id(server, self.state.registry.servers))

    post = put = delete = patch = options = get

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the endpoint implements."""
        return ENDPOINTS[self.endpoint].methods

    def respond(self, server: Server) -> Reply:
        """Return the endpoint's own response.

        Raises:
            OAuthError: The request is rejected.
        """
        raise NotImplementedError

    def endpoint_error(self, server: Server, error: OAuthError) -> Reply:  # noqa: ARG002  # subclasses name the server
        """Return the error response for a request that ``respond`` rejected."""
        return self.error_reply(error)

    def common_headers(self) -> dict[str, str]:
        """Return the headers of every response, with a rate limit that is announced and never reached."""
        limit = rate_limit_headers(self.now) if self.is_limited else {}
        return super().common_headers() | limit

    async def handle(self, server_id: str) -> None:
        """Record the request in the journal and send the response, with the fault that is planned for it."""
        entry = self._record(server_id)
        fault = None
        if self.state.faults.pending and self.request.method != "OPTIONS":
            fault = self.state.faults.take(self.endpoint, server_id)
        entry.fault = fault.kind if fault else None
        reply = self.with_common_headers(await self._reply(server_id, fault))
        entry.status = None if entry.fault == "drop" else reply.status
        if fault is not None and fault.kind in SOCKET_FAULTS:
            await self.fault_injector.send_faulty(self.detach(), reply, fault)
        else:
            self.send(reply)

    def urls_of(self, server: Server) -> ServerURLs:
        """Return the URLs of a server; those of a DYNAMIC server begin with the URL of the request."""
        requested_url = self.requested_url if server.issuer_mode == "DYNAMIC" else None
        return server_urls(self.state.urls, server.id, server.issuer_mode, requested_url)

    def endpoint_url(self, server: Server) -> str:
        """Return the URL of this endpoint."""
        return self.urls_of(server).endpoints[self.endpoint]

    def issuer_of(self, server: Server) -> str:
        """Return the issuer identifier of a server."""
        return self.urls_of(server).issuer

    @property
    def requested_url(self) -> str:
        """The scheme, host and port of the request; only a DYNAMIC server uses them."""
        return f"{self.request.protocol}://{self.request.host}"

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
            self.now = self.state.clock.now()
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
            time=self.now,
            connection=self.state.connections.number(self.request.server_connection),
            credentials=next((known for known in _SCHEMES if known.lower() == scheme), "other" if scheme else None),
        )
        self.state.journal.add(entry)
        return entry


class ClientHandler(EndpointHandler):
    """An endpoint at which clients authenticate, and whose responses are never cached."""

    is_limited = True
    takes_proofs: ClassVar[bool] = False
    """Whether the endpoint reads DPoP proofs, and sends their nonces."""

    def common_headers(self) -> dict[str, str]:
        """Return the headers of every response, those against caching included."""
        headers = super().common_headers() | _NO_STORE_HEADERS
        if self.takes_proofs and "DPoP" in self.request.headers:
            headers["dpop-nonce"] = self.state.dpop_nonces.current(self.now)
            if "Origin" in self.request.headers:
                headers["Access-Control-Expose-Headers"] = "dpop-nonce"
        return headers

    def proof_thumbprint(self, server: Server) -> str | None:
        """Return the thumbprint of the key of the request's DPoP proof, or None if it has none.

        Raises:
            OAuthError: The proof is not accepted, or needs the current nonce.
        """
        fields = self.request.headers.get_list("DPoP")
        if not fields:
            return None
        state = self.state
        url = self.endpoint_url(server)
        context = ProofContext(
            method=self.request.method or "", url=url, now=self.now, used=state.used_jtis, nonces=state.dpop_nonces
        )
        return check_proof(fields, context)

    def authenticated_client(self, server: Server, form: dict[str, str]) -> Client:
        """Return the client that authenticated this request.

        Raises:
            OAuthError: Client authentication failed.
        """
        authorization = self.request.headers.get_list("Authorization")
        credentials = read_credentials(authorization, form, self.query, is_strict=self.state.profile.is_strict)
        return authenticate(self.state, credentials, self.endpoint_url(server))


def _preflight(methods: tuple[str, ...], requested: str) -> Reply:
    # Okta's own libraries send headers such as X-Okta-User-Agent-Extended, so every requested header is allowed.
    headers = {
        "Access-Control-Allow-Methods": ", ".join(method for method in methods if method != "HEAD"),
        "Access-Control-Allow-Headers": requested
        if _HEADER_NAMES.fullmatch(requested)
        else "Authorization, Content-Type, DPoP",
        "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
    }
    return Reply(204, headers=headers)
