"""The base class of every handler that imitates Okta: parameters, common headers, error responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado.escape import parse_qs_bytes
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import RequestHandler

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.model.identifiers import new_request_id
from fakeissuer.responses.handler import BaseHandler
from fakeissuer.responses.reply import CASE_FOR_STATUS, Reply, error_reply, rate_limit_exceeded_headers, rfc_error_reply
from fakeissuer.state.state import IssuerState

JSON_MEDIA_TYPE = "application/json"
_FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

_FRONT_END_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-xss-protection": "0",
    "p3p": 'CP="HONK"',
    "referrer-policy": "strict-origin-when-cross-origin",
    "accept-ch": "Sec-CH-UA-Platform-Version",
}
"""Headers that Okta's front end adds to every response."""


class OktaHandler(BaseHandler):
    """A handler whose responses have Okta's headers and error formats."""

    def initialize(self, *, state: IssuerState, fault_injector: FaultInjector) -> None:
        """Keep the issuer's state and the time of the request, in seconds since the epoch."""
        self.state = state
        self.fault_injector = fault_injector
        self.now = state.clock.now()

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the handler implements."""
        kind = type(self)
        if kind.get is RequestHandler.get:
            others = [method for method in self.SUPPORTED_METHODS if method != "HEAD"]
        else:
            others = list(self.SUPPORTED_METHODS)
        return tuple(
            method for method in others if getattr(kind, method.lower()) is not getattr(RequestHandler, method.lower())
        )

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body.

        Raises:
            OAuthError: The body is not a form, or a parameter is repeated (RFC 6749 section 3.2).
        """
        arguments = form_arguments(self.request)
        if arguments is None:
            raise OAuthError(ErrorCase.FORM_EXPECTED)
        return single_values(arguments)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL.

        Raises:
            OAuthError: A parameter is repeated.
        """
        return single_values(self.request.query_arguments)

    def set_default_headers(self) -> None:
        """Set Okta's ``Server`` header, without Strict-Transport-Security: a browser would keep that after the test."""
        self.set_header("Server", "nginx")

    def compute_etag(self) -> None:
        """Send no Etag: Okta sends none, and a 304 would hide the body from a test."""

    def common_headers(self) -> dict[str, str]:
        """Return the headers of every response."""
        headers = {"x-okta-request-id": new_request_id(), **_FRONT_END_HEADERS}
        if origin := self.request.headers.get("Origin"):
            headers |= {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return headers

    def with_common_headers(self, reply: Reply) -> Reply:
        """Return a reply with the common headers and those of a 429; headers that the reply already has win."""
        limit = rate_limit_exceeded_headers(self.now) if reply.status == 429 else {}
        return reply.with_defaults(limit).with_defaults(self.common_headers())

    def error_reply(self, error: OAuthError, challenge: str = "") -> Reply:
        """Return the error response in the format of the profile."""
        if not self.state.profile.is_strict:
            return error_reply(error, challenge)
        reply = rfc_error_reply(error, challenge)
        # RFC 9110 section 15.5.6 requires Allow; Okta does not send it.
        return reply.with_defaults({"Allow": ", ".join(self.methods)} if reply.status == 405 else {})

    def send(self, reply: Reply) -> None:
        """Write a reply through Tornado."""
        self.set_status(reply.status)
        self.clear_header("Content-Type")
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body or None)

    def send_result(self, respond: Callable[[], Reply]) -> None:
        """Send the reply of a function, or the error response if it raises ``OAuthError``."""
        try:
            reply = respond()
        except OAuthError as error:
            reply = self.error_reply(error)
        self.send(self.with_common_headers(reply))

    def reject(self, error: OAuthError) -> Reply:
        """Return the response to a request that does not reach the endpoint's own code."""
        return self.error_reply(error)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Send an error response for an unexpected failure, without any text of the exception."""
        error = OAuthError(CASE_FOR_STATUS.get(status_code, ErrorCase.INTERNAL))
        self.send(self.with_common_headers(self.reject(error)))


def media_type(headers: HTTPHeaders) -> str:
    """Return the media type of a body in lower case, without parameters (RFC 9110 section 8.3.1)."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def form_arguments(request: HTTPServerRequest) -> dict[str, list[bytes]] | None:
    """Return the parameters of a form body, or None for any other media type.

    Tornado's own parser recognizes the media type only in lower case.
    """
    if media_type(request.headers) != _FORM_MEDIA_TYPE:
        return None
    return parse_qs_bytes(request.body, keep_blank_values=True)


def single_values(arguments: dict[str, list[bytes]]) -> dict[str, str]:
    """Return parameters as strings.

    Raises:
        OAuthError: A parameter is repeated, so that two readers could use different values (RFC 6749 section 3.2).
    """
    for name, values in arguments.items():
        if len(values) > 1:
            # Tornado decodes names as Latin-1, which maps every byte; clients send UTF-8.
            raise OAuthError(ErrorCase.PARAMETER_TWICE, name.encode("latin-1").decode("utf-8", "replace"))
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items()}
