"""What all that answers in Okta's name does: it says what Okta's front end says, and errs in Okta's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeissuer.errors import Refused
from fakeissuer.handlers.quiet import QuietHandler
from fakeissuer.identifiers import new_request_id
from fakeissuer.issuer import FakeIssuer
from fakeissuer.problems import Problem
from fakeissuer.reply import PROBLEM_OF_STATUS, Reply, refusal
from fakeissuer.wire import Wire


def front_end_headers() -> dict[str, str]:
    """Return what Okta's front end adds to every answer."""
    return {
        "x-okta-request-id": new_request_id(),
        "x-content-type-options": "nosniff",
        "x-xss-protection": "0",
        "p3p": 'CP="HONK"',
        "referrer-policy": "strict-origin-when-cross-origin",
        "accept-ch": "Sec-CH-UA-Platform-Version",
    }


class OktaHandler(QuietHandler):
    """The base of all endpoints."""

    def initialize(self, *, issuer: FakeIssuer, wire: Wire) -> None:
        """Take the issuer to speak for, and what carries out the faults."""
        self.issuer = issuer
        self.wire = wire

    def set_default_headers(self) -> None:
        """Say what Okta's front end says; no Strict-Transport-Security, which would outlive the test in a browser."""
        self.set_header("Server", "nginx")

    def compute_etag(self) -> None:
        """Send no Etag: Okta sends none, and a 304 would hide a request's answer from the test."""

    def send(self, reply: Reply) -> None:
        """Send an answer as HTTP should be."""
        self.set_status(reply.status)
        self.clear_header("Content-Type")
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body or None)

    def send_reply_of(self, answer: Callable[[], Reply]) -> None:
        """Send an answer, or the refusal in its place, with what Okta's front end adds to both."""
        try:
            reply = answer()
        except Refused as refused:
            reply = refusal(refused)
        self.send(reply.with_defaults(front_end_headers()))

    def turn_away(self, refused: Refused) -> Reply:
        """Return the answer to what never gets to the endpoint's own."""
        return refusal(refused)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what went wrong before or beside the endpoint's own answer, without a word of the exception."""
        self.send(self.turn_away(Refused(PROBLEM_OF_STATUS.get(status_code, Problem.INTERNAL))))
