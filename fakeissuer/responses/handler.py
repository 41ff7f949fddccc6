"""The base class of all handlers, which logs failures without URL query and body, because these may contain tokens."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import ClassVar

from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger("fakeissuer")


class BaseHandler(RequestHandler):
    """The base class of all handlers."""

    expected_errors: ClassVar[tuple[type[BaseException], ...]] = (HTTPError,)
    """Exceptions that become error responses and are not logged."""

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002  # Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002  # as above
    ) -> None:
        """Log an unexpected exception with method and path only."""
        if not isinstance(value, self.expected_errors):
            fields = {"method": self.request.method, "path": self.request.path}
            logger.error("request failed", exc_info=value, extra=fields)
