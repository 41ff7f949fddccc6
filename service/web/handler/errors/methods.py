"""The methods by which Tornado responds to an exception."""

from __future__ import annotations

import functools
import logging
from types import TracebackType
from typing import Any

import tornado.web

from service.web.handler.errors.early_response import reject, send_error_response
from service.web.handler.errors.responder import ErrorResponder

_logger = logging.getLogger(__name__)


class ErrorMethods(tornado.web.RequestHandler):
    """Responds to exceptions; one before ``prepare`` is a rejection, which runs no code of the handler."""

    _is_authorized: bool = False
    """Whether ``prepare`` and all other code of the handler may run."""
    _is_error_sent: bool = False

    @functools.cached_property
    def _errors(self) -> ErrorResponder:
        return ErrorResponder(self)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Send the error response for an exception or a status."""
        if not self._is_authorized:
            reject(self, tornado.web.HTTPError(status_code))
            return
        response = self._errors.response_for(status_code, kwargs.get("exc_info", (None, None, None))[1])
        self._is_error_sent = response.status >= 400
        super().send_error(response.status, **(kwargs | {"error_response": response}))

    def _handle_request_exception(self, e: BaseException) -> None:
        """Respond to an exception, whatever the handler's own code does with it."""
        if not self._is_authorized and not isinstance(e, tornado.web.Finish):
            reject(self, e)
            return
        try:
            super()._handle_request_exception(e)
        except Exception:
            _logger.exception("%s failed to send an error response", type(self).__qualname__)
            if not self._finished:
                send_error_response(self, e)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the JSON of an error response."""
        self.finish(self._errors.body(kwargs.get("error_response"), status_code))

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a rejection as one line, and an unexpected exception with its stack."""
        self._errors.log(value, (typ, value, tb))
