"""What every handler does with a failure: it is logged without the request, whose URL or body may hold a token."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import ClassVar

from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger("fakeissuer")


class BaseHandler(RequestHandler):
    """The base of all handlers."""

    expected_errors: ClassVar[tuple[type[BaseException], ...]] = (HTTPError,)
    """What is an answer and no failure."""

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002  # Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002  # as above
    ) -> None:
        """Log what nobody expected, and nothing of the request."""
        if not isinstance(value, self.expected_errors):
            logger.error("a handler failed", exc_info=value)
