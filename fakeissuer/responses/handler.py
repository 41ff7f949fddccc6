"""The base class of all handlers, which logs failures without URL query and body, and the origin of a request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from types import TracebackType
from typing import ClassVar

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger("fakeissuer")


class BaseHandler(RequestHandler):
    """The base class of all handlers; log lines never contain the query or the body, which may contain tokens."""

    expected_errors: ClassVar[tuple[type[BaseException], ...]] = (HTTPError,)
    """Exceptions that become error responses and are not logged."""

    def set_default_headers(self) -> None:
        """Send no ``Server`` header, which would name the version of Tornado."""
        self.clear_header("Server")

    def head(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        """Respond as ``get`` does; Tornado sends the header alone (RFC 9110 section 9.3.2)."""
        return self.get(*args, **kwargs)

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


def is_from_another_origin(request: HTTPServerRequest, *, accepts_opaque: bool = False) -> bool:
    """Return whether a browser states that a page of another origin caused a request; programs state nothing.

    ``Sec-Fetch-Site`` is on every request of a current browser (W3C Fetch Metadata Request Headers), ``Origin``
    only on some. ``accepts_opaque`` is for forms of pages without referrer, which have ``Origin: null``.
    """
    # TLS may end at a proxy, but a page that was sent without TLS is never ours if we listen with it.
    own = {f"https://{request.host}", f"{request.protocol}://{request.host}"} | ({"null"} if accepts_opaque else set())
    headers = request.headers
    return not (
        own.issuperset(headers.get_list("Origin"))
        and {"same-origin", "none"}.issuperset(headers.get_list("Sec-Fetch-Site"))
    )
