"""The methods by which Tornado responds to an exception; those of the application keep their effect."""

from __future__ import annotations

import functools
import logging
from types import TracebackType
from typing import Any

import tornado.web

from service.errors import CrossSiteRequest, RetryLater, ServiceError, TokenError
from service.web.handler.errors.early_response import reject, send_error_response
from service.web.handler.errors.responder import ErrorResponder
from service.web.handler.inherited_method import is_tornados
from service.web.responses.challenge import ErrorResponse

_logger = logging.getLogger(__name__)

_REJECTIONS = (TokenError, CrossSiteRequest, RetryLater)
"""The errors whose responses are ours, wherever they are raised."""


class ErrorMethods(tornado.web.RequestHandler):
    """Responds to exceptions; one before ``prepare`` is a rejection, which runs no code of the handler."""

    _is_authorized: bool = False
    """Whether ``prepare`` and all other code of the handler may run."""
    _error_response: ErrorResponse | None = None
    """The error response that is being sent for an exception or a status."""

    _is_error_own: bool = False
    """Whether the application's own ``write_error`` writes the response, even one without a body."""

    @functools.cached_property
    def _errors(self) -> ErrorResponder:
        return ErrorResponder(self)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Send the error response for an exception or a status."""
        if not self._is_authorized:
            reject(self, tornado.web.HTTPError(status_code, reason=kwargs.get("reason")))
            return
        response = self._errors.response_for(status_code, _exception(kwargs), reason=kwargs.get("reason"))
        self._error_response = response if response.status >= 400 else None
        has_own = type(self).write_error is not ErrorMethods.write_error or not is_tornados(
            super().write_error, "write_error"
        )
        self._is_error_own = has_own and not isinstance(_exception(kwargs), _REJECTIONS)
        super().send_error(response.status, **kwargs)

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
        """Write the JSON of an error response, or call the application's own ``write_error`` for its own errors."""
        own = super().write_error
        if is_tornados(own, "write_error") or isinstance(_exception(kwargs), _REJECTIONS):
            self.finish(self._errors.body(self._error_response, status_code))
        else:
            own(status_code, **kwargs)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a rejection as one line, and an unexpected exception with its stack.

        The application's own ``log_exception`` is called for its own errors.
        """
        own = super().log_exception
        if is_tornados(own, "log_exception") or isinstance(value, ServiceError):
            self._errors.log(value, (typ, value, tb))
        else:
            own(typ, value, tb)


def _exception(arguments: dict[str, Any]) -> BaseException | None:
    """Return the exception among the arguments of ``send_error``, or None if there is none."""
    exc_info: tuple[Any, ...] = arguments.get("exc_info") or (None, None, None)
    exception: BaseException | None = exc_info[1]
    return exception
