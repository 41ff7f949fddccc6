"""What all that answers in Okta's name does: it says what Okta's front end says, and errs in Okta's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado.web import RequestHandler

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.model.identifiers import new_request_id
from fakeissuer.responses.handler import BaseHandler
from fakeissuer.responses.reply import CASE_FOR_STATUS, Reply, error_reply, rate_limit_exceeded_headers, rfc_error_reply
from fakeissuer.state.state import IssuerState

_FRONT_END_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-xss-protection": "0",
    "p3p": 'CP="HONK"',
    "referrer-policy": "strict-origin-when-cross-origin",
    "accept-ch": "Sec-CH-UA-Platform-Version",
}
"""What Okta's front end adds to every answer."""


class OktaHandler(BaseHandler):
    """The base of all endpoints."""

    def initialize(self, *, state: IssuerState, fault_injector: FaultInjector) -> None:
        """Take the state of the issuer, and what carries out the faults."""
        self.state = state
        self.fault_injector = fault_injector

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that are answered."""
        return tuple(
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        )

    def set_default_headers(self) -> None:
        """Say what Okta's front end says; no Strict-Transport-Security, which would outlive the test in a browser."""
        self.set_header("Server", "nginx")

    def compute_etag(self) -> None:
        """Send no Etag: Okta sends none, and a 304 would hide a request's answer from the test."""

    def common_headers(self) -> dict[str, str]:
        """Return what goes with every answer."""
        headers = {"x-okta-request-id": new_request_id(), **_FRONT_END_HEADERS}
        if origin := self.request.headers.get("Origin"):
            headers |= {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return headers

    def with_common_headers(self, reply: Reply) -> Reply:
        """Return a reply with what goes with every answer, and with a 429 in particular; its own headers win."""
        limit = rate_limit_exceeded_headers(self.state.clock.now()) if reply.status == 429 else {}
        return reply.with_defaults(limit).with_defaults(self.common_headers())

    def error_reply(self, error: OAuthError, challenge: str = "") -> Reply:
        """Return the answer to a refused request, in the shape of the profile."""
        if not self.state.profile.is_strict:
            return error_reply(error, challenge)
        reply = rfc_error_reply(error, challenge)
        # RFC 9110 section 15.5.6, to which Okta does not keep.
        return reply.with_defaults({"Allow": ", ".join(self.methods)} if reply.status == 405 else {})

    def send(self, reply: Reply) -> None:
        """Send an answer as HTTP should be."""
        self.set_status(reply.status)
        self.clear_header("Content-Type")
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body or None)

    def send_result(self, respond: Callable[[], Reply]) -> None:
        """Send an answer, or the refusal in its place, with what goes with both."""
        try:
            reply = respond()
        except OAuthError as error:
            reply = self.error_reply(error)
        self.send(self.with_common_headers(reply))

    def reject(self, error: OAuthError) -> Reply:
        """Return the answer to what never gets to the endpoint's own."""
        return self.error_reply(error)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what went wrong before or beside the endpoint's own answer, without a word of the exception."""
        self.send(
            self.with_common_headers(self.reject(OAuthError(CASE_FOR_STATUS.get(status_code, ErrorCase.INTERNAL))))
        )
