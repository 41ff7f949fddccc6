"""The base of all control handlers: access check, strict parsing and JSON responses."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from tornado.web import HTTPError

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.errors import FakeIssuerError, InvalidRequestError, NotFoundError
from fakeissuer.model.records import Record, read_members, to_json, to_record
from fakeissuer.responses.handler import BaseHandler

T = TypeVar("T", bound=Record)

_DESCRIPTIONS = {
    404: "There is no such control call.",
    405: "This control call does not support the method.",
    500: "The control call failed; the log has the details.",
}


class EmptyBody(Record, frozen=True, kw_only=True):
    """The body of a call without parameters."""


class ServerQuery(Record, frozen=True, kw_only=True):
    """A server by its id."""

    server: str = "default"


class ControlHandler(BaseHandler):
    """The base of all control handlers; on its own it responds to unknown paths with 404."""

    path: ClassVar[str] = "/.*"
    """The path below ``/_fake``, a regular expression."""

    expected_errors = (FakeIssuerError, HTTPError)

    def initialize(self, *, control: IssuerControl, guard: ControlGuard) -> None:
        """Store the operations and the access check."""
        self.control = control
        self.guard = guard

    def set_default_headers(self) -> None:
        """Forbid caching, because the state changes from call to call."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Reject callers without access before the body is parsed."""
        rejection = self.check_access()
        if rejection is not None:
            status, description = rejection
            if status == 401:
                self.set_header("WWW-Authenticate", 'Bearer realm="fakeissuer control plane"')
            self.send({"error": "access_denied", "error_description": description}, status)
        elif type(self) is ControlHandler:
            raise HTTPError(404)

    def check_access(self) -> tuple[int, str] | None:
        """Return the status and description of a rejection, or None if the caller has access."""
        return self.guard.check_access(self.request)

    def send(self, value: object, status: int = 200) -> None:
        """Send a JSON response."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(to_json(value))

    def read(self, kind: type[T]) -> T:
        """Return the body as a record.

        Raises:
            InvalidRequestError: the body does not have exactly the members of the record.
        """
        return to_record(read_members(self.request.body), kind)

    def read_query(self, kind: type[T]) -> T:
        """Return the query parameters as a record of strings; an empty parameter counts as absent.

        Raises:
            InvalidRequestError: a parameter is unknown or repeated.
        """
        arguments = self.request.query_arguments
        if any(len(values) > 1 for values in arguments.values()):
            raise InvalidRequestError("A query parameter is repeated; send each at most once.")
        texts = {name: values[0].decode("utf-8", "replace") for name, values in arguments.items()}
        return to_record({name: text for name, text in texts.items() if text}, kind)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send the error as JSON."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, NotFoundError):
            self.send({"error": "not_found", "error_description": str(error)}, 404)
        elif isinstance(error, FakeIssuerError):
            self.send({"error": "invalid_request", "error_description": str(error)}, 400)
        else:
            code = {404: "not_found", 405: "method_not_allowed"}.get(status_code, "server_error")
            description = _DESCRIPTIONS.get(status_code, "The request could not be parsed.")
            self.send({"error": code, "error_description": description}, status_code)
