"""What all that answers in Okta's name does: it says what Okta's front end says, and errs in Okta's shape."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from fakeissuer.errors import Refused
from fakeissuer.handlers.quiet import QuietHandler
from fakeissuer.issuer import FakeIssuer
from fakeissuer.problems import Problem
from fakeissuer.reply import PROBLEM_OF_STATUS, Reply, refusal
from fakeissuer.wire import Wire


class OktaHandler(QuietHandler):
    """The base of all endpoints, and the answer at a path where there is none."""

    def initialize(self, *, issuer: FakeIssuer, wire: Wire) -> None:
        """Take the issuer to speak for, and what carries out the faults."""
        self.issuer = issuer
        self.wire = wire

    def set_default_headers(self) -> None:
        """Say what Okta's front end says; no Strict-Transport-Security, which would outlive the test in a browser."""
        self.set_header("Server", "nginx")

    def compute_etag(self) -> None:
        """Send no Etag: Okta sends none, and a 304 would hide a request's answer from the test."""

    async def prepare(self) -> None:
        """Refuse a path at which nothing is served."""
        if type(self) is OktaHandler:
            raise HTTPError(404)

    def send(self, reply: Reply) -> None:
        """Send an answer as HTTP should be."""
        self.set_status(reply.status)
        self.clear_header("Content-Type")
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body or None)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what went wrong before or beside the endpoint's own answer, without a word of the exception."""
        self.send(refusal(Refused(PROBLEM_OF_STATUS.get(status_code, Problem.INTERNAL))))
