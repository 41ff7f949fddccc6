"""What every control call does: it is guarded, read strictly, and answered in JSON, a refusal too."""

from __future__ import annotations

from typing import Any, TypeVar

from tornado.web import HTTPError

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.issuer import FakeIssuer
from fakeissuer.errors import FakeIssuerError, InvalidRequestError, NotFoundError
from fakeissuer.model.records import Record, read_members, to_json, to_record
from fakeissuer.responses.handler import BaseHandler

T = TypeVar("T", bound=Record)

_DESCRIPTIONS = {
    404: "There is no such control call.",
    405: "This control call does not answer that method.",
    500: "The control call failed; the log says more.",
}


class EmptyBody(Record, frozen=True, kw_only=True):
    """The body of a call that takes none."""


class ServerQuery(Record, frozen=True, kw_only=True):
    """A server by its id."""

    server: str = "default"


class ControlHandler(BaseHandler):
    """The base of all control calls, and the answer at a path where there is none."""

    expected_errors = (FakeIssuerError, HTTPError)

    def initialize(self, *, issuer: FakeIssuer, guard: ControlGuard) -> None:
        """Take the issuer to control, and who may do that."""
        self.issuer = issuer
        self.guard = guard

    def set_default_headers(self) -> None:
        """Let nobody keep what changes from call to call."""
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Refuse whoever may not control this issuer, before anything is read."""
        check_access = self.check_access()
        if check_access is not None:
            status, sentence = check_access
            if status == 401:
                self.set_header("WWW-Authenticate", 'Bearer realm="fakeissuer control plane"')
            self.send({"error": "access_denied", "error_description": sentence}, status)
        elif type(self) is ControlHandler:
            raise HTTPError(404)

    def check_access(self) -> tuple[int, str] | None:
        """Return status and sentence for a request that may not pass, None for one that may."""
        return self.guard.check_access(self.request)

    def send(self, value: object, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(to_json(value))

    def read(self, kind: type[T]) -> T:
        """Return the body as a record.

        Raises:
            InvalidRequestError: it is not exactly such a record.
        """
        return to_record(read_members(self.request.body), kind)

    def read_query(self, kind: type[T]) -> T:
        """Return the parameters of the URL as a record of texts; an empty one counts as left out.

        Raises:
            InvalidRequestError: one is unknown, or comes twice.
        """
        arguments = self.request.query_arguments
        if any(len(values) > 1 for values in arguments.values()):
            raise InvalidRequestError("A parameter of the URL came twice.")
        texts = {name: values[0].decode("utf-8", "replace") for name, values in arguments.items()}
        return to_record({name: text for name, text in texts.items() if text}, kind)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what was wrong and what was expected."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, NotFoundError):
            self.send({"error": "not_found", "error_description": str(error)}, 404)
        elif isinstance(error, FakeIssuerError):
            self.send({"error": "invalid_request", "error_description": str(error)}, 400)
        else:
            code = {404: "not_found", 405: "method_not_allowed"}.get(status_code, "server_error")
            sentence = _DESCRIPTIONS.get(status_code, "The request could not be read.")
            self.send({"error": code, "error_description": sentence}, status_code)
