"""What all of Okta's endpoints do: they are counted, may go wrong on purpose, and answer in Okta's shapes."""

from __future__ import annotations

import re
from typing import ClassVar

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.handlers.base.fault_injection import ALTERATIONS, INTERFERENCES, planned_reply
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.handlers.base.parameters import form_arguments, once
from fakeissuer.model.endpoints import ENDPOINTS, ORG, EndpointName
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply, limit_left
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import UNKNOWN_SERVER, Entry

LONGEST_PATH = 500
"""How much of a path the journal keeps: a client may write a thousand times as much."""
SCHEMES = ("Basic", "Bearer", "DPoP")
PREFLIGHT_AGE_S = 3600
HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,100}(?:, ?[A-Za-z0-9-]{1,100}){0,50}")


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

    def answer(self, server: Server) -> Reply:
        """Return the endpoint's own answer.

        Raises:
            Refused: it has none for this request.
        """
        raise NotImplementedError

    def refuse(self, server: Server, refused: Refused) -> Reply:  # noqa: ARG002 - some name the server in their answer
        """Return the answer to a request that `answer` refused."""
        return self.refusal(refused)

    def common_headers(self) -> dict[str, str]:
        """Return what goes with every answer; where there is a rate limit it is told, and never reached."""
        limit = limit_left(self.state.clock.now()) if self.is_limited else {}
        return super().common_headers() | limit

    async def handle(self, server_id: str) -> None:
        """Count the request, answer it, and put the answer on the wire, whole or spoilt."""
        entry = self._write_down(server_id)
        fault = None
        if self.request.method != "OPTIONS":
            fault = self.state.faults.take(self.endpoint, server_id)
        entry.fault = fault.kind if fault else None
        reply = self.completed(await self._reply(server_id, fault))
        entry.status = None if entry.fault == "drop" else reply.status
        if fault is not None and fault.kind in INTERFERENCES:
            await self.wire.interfere(self.detach(), reply, fault)
        else:
            self.send(reply)

    def issuer_of(self, server: Server) -> str:
        """Return the issuer identifier of a server, as far as this request may have a say in it."""
        return self.state.addresses.issuer(server, self.requested_url)

    @property
    def requested_url(self) -> str:
        """The URL by which the client called; only a server that is DYNAMIC goes by it."""
        return f"{self.request.protocol}://{self.request.host}"

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body.

        Raises:
            Refused: the body is no form, or a parameter came twice (RFC 6749 section 3.2).
        """
        arguments = form_arguments(self.request)
        if arguments is None:
            raise Refused(Problem.FORM_EXPECTED)
        return once(arguments)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL.

        Raises:
            Refused: a parameter came twice.
        """
        return once(self.request.query_arguments)

    async def _reply(self, server_id: str, fault: Fault | None) -> Reply:
        if fault is None:
            return self._answer_or_refuse(server_id)
        if fault.status is not None:
            return planned_reply(fault, self.refusal)
        if fault.refuse is not None:
            return self._answer_or_refuse(server_id, Problem[fault.refuse.upper()])
        if fault.redirect is not None:
            location = fault.redirect if isinstance(fault.redirect, str) else self.request.full_url()
            return Reply(302, headers={"Location": location})
        if fault.delay is not None:
            await self.wire.pause(fault.delay)
        reply = self._answer_or_refuse(server_id)
        return ALTERATIONS[fault.kind](reply, fault) if fault.kind in ALTERATIONS else reply

    def _answer_or_refuse(self, server_id: str, on_demand: Problem | None = None) -> Reply:
        server = self.state.directory.servers.get(server_id)
        if server is None:
            return self.turn_away(Refused(Problem.NO_SUCH_SERVER, server_id))
        if self.request.method == "OPTIONS":
            return _preflight(self.methods, self.request.headers.get("Access-Control-Request-Headers", ""))
        if on_demand is not None:
            return self.refuse(server, Refused(on_demand, "on demand"))
        if self.request.method not in self.methods:
            return self.turn_away(Refused(Problem.METHOD_NOT_ALLOWED))
        try:
            return self.answer(server)
        except Refused as refused:
            return self.refuse(server, refused)

    def _write_down(self, server_id: str) -> Entry:
        scheme = self.request.headers.get("Authorization", "").partition(" ")[0].lower()
        entry = Entry(
            method=self.request.method or "",
            path=self.request.path[:LONGEST_PATH],
            endpoint=self.endpoint,
            server=server_id if server_id in self.state.directory.servers else UNKNOWN_SERVER,
            time=self.state.clock.now(),
            connection=self.state.connections.number(self.request.server_connection),
            credentials=next((known for known in SCHEMES if known.lower() == scheme), "other" if scheme else None),
        )
        self.state.journal.add(entry)
        return entry


def _preflight(methods: tuple[str, ...], asked: str) -> Reply:
    # Okta's own libraries send headers of theirs, such as X-Okta-User-Agent-Extended, so whatever is asked for is fine.
    headers = {
        "Access-Control-Allow-Methods": ", ".join(method for method in methods if method != "HEAD"),
        "Access-Control-Allow-Headers": asked if HEADER_NAMES.fullmatch(asked) else "Authorization, Content-Type, DPoP",
        "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
    }
    return Reply(204, headers=headers)
