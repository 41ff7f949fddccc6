"""A protected WebSocket: a checked handshake, a token that ends the connection, and close codes (RFC 6455)."""

from __future__ import annotations

import functools
import inspect
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.websocket import WebSocketHandler

from service.errors import AccessDenied, InsufficientScope, RetryLater, TokenError
from service.web.credentials.subprotocol import remove_offer
from service.web.handler.csrf import is_own_page
from service.web.handler.inherited_method import inherited_method
from service.web.handler.websocket_limits import get_websocket_protocol

GOING_AWAY, TRY_AGAIN_LATER, TOKEN_ENDED, FORBIDDEN = 1001, 1013, 4401, 4403
"""Close codes: the private ones repeat an HTTP status, the others are registered (RFC 6455 section 11.7)."""
_VERSIONS = frozenset({"7", "8", "13"})


def check_handshake(handler: Any) -> None:
    """Check the request that opens a WebSocket, and hide the token from the handler's ``select_subprotocol``.

    Tornado would reject the same requests, as text or with a stack in the log.

    Raises:
        tornado.web.HTTPError: 426 for a request without a handshake, 403 for one from another site.
    """
    request: HTTPServerRequest = handler.request
    headers = request.headers
    if not _is_handshake(headers):
        raise tornado.web.HTTPError(426, "not a WebSocket handshake of a supported version")
    origin = headers.get("Origin", headers.get("Sec-WebSocket-Origin"))
    if origin is None:
        if headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise tornado.web.HTTPError(403, "a WebSocket of another site, which hides its origin")
    elif not _is_url(origin) or not handler.check_origin(origin):
        raise tornado.web.HTTPError(403, "a WebSocket of another origin")
    remove_offer(headers)


def close_code(error: TokenError | RetryLater) -> int:
    """Return the code that closes a socket because of an error."""
    if isinstance(error, RetryLater):
        return TRY_AGAIN_LATER
    return FORBIDDEN if isinstance(error, InsufficientScope | AccessDenied) else TOKEN_ENDED


def _close_at_end(handler: Any) -> None:
    """Close a socket when its current token ends, or when the service stops."""
    handler.watch_token(
        on_end=lambda: close(handler, TOKEN_ENDED, "token ended"),
        on_stop=lambda: close(handler, GOING_AWAY, "stopping"),
    )


def protect_class(handler: type[Any]) -> None:
    """Wrap ``open`` and ``on_message`` of a handler class, and replace Tornado's choices for the handshake.

    A class that makes these choices itself keeps them.
    """
    choices: dict[str, Callable[..., Any]] = {
        "check_origin": _check_origin,
        "get_websocket_protocol": get_websocket_protocol,
        "select_subprotocol": _select_subprotocol,
    }
    for name, choice in choices.items():
        # A base class of the author may follow one of which we have replaced the choice.
        chosen = next(vars(kind)[name] for kind in handler.__mro__ if vars(kind).get(name, choice) is not choice)
        setattr(handler, name, choice if chosen is vars(WebSocketHandler)[name] else chosen)
    for name, wrap in (("open", _wrap_open), ("on_message", _wrap_on_message)):
        if not hasattr(getattr(handler, name), "is_protected"):
            callback = vars(handler).get(name) or inherited_method(handler, name)
            wrapped = functools.wraps(callback)(wrap(callback))
            vars(wrapped)["is_protected"] = True
            setattr(handler, name, wrapped)


def _check_origin(self: Any, origin: str) -> bool:
    """Allow our own pages and those of a listed origin; browsers open a WebSocket without a preflight."""
    # Without a public URL any scheme will do, since a proxy may end TLS.
    is_own = is_own_page(origin, self.request, self._context.resource, any_scheme=True)
    return is_own or bool(self._cors.allows(origin))


def _select_subprotocol(_self: Any, subprotocols: list[str]) -> str | None:
    """Choose the first subprotocol offered beside the token: browsers fail a connection that chooses none."""
    return next(iter(subprotocols), None)


def _wrap_open(callback: Callable[..., Any]) -> Callable[..., Any]:
    def open_socket(self: Any, *args: Any, **kwargs: Any) -> Any:
        _close_at_end(self)
        return _close_on_error(self, functools.partial(callback, self, *args, **kwargs))

    return open_socket


def _wrap_on_message(callback: Callable[..., Any]) -> Callable[..., Any]:
    def on_message(self: Any, message: str | bytes) -> Any:
        if self._is_closing:
            return None  # the client has not read the close frame yet
        principal = self._principal
        if principal is not None and self._context.monitor.is_expired_or_denied(principal):
            # The monitor runs once a second; a message must not act with a token that ended before that.
            close(self, TOKEN_ENDED, "token ended")
            return None
        return _close_on_error(self, functools.partial(callback, self, message))

    return on_message


def _close_on_error(handler: Any, call: Callable[[], Any]) -> Any:
    """Run a callback, and close the socket with the code of an error that it raises."""
    try:
        result = call()
    except (TokenError, RetryLater) as exc:
        _log_and_close(handler, exc)
        return None
    return _await_and_close_on_error(handler, result) if inspect.isawaitable(result) else result


async def _await_and_close_on_error(handler: Any, awaitable: Awaitable[Any]) -> None:
    try:
        await awaitable
    except (TokenError, RetryLater) as exc:
        _log_and_close(handler, exc)


def _log_and_close(handler: Any, error: TokenError | RetryLater) -> None:
    handler.log_exception(type(error), error, None)
    close(handler, close_code(error), "rejected")


def close(handler: Any, code: int, reason: str) -> None:
    """Close a socket, and ignore further messages: Tornado waits seconds for the client to close it too."""
    handler._is_closing = True
    handler.close(code, reason)


def _is_handshake(headers: HTTPHeaders) -> bool:
    """Return whether a request opens a WebSocket of a version that Tornado supports (RFC 6455 section 4.2.1)."""
    connection = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    return (
        headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in connection
        and bool(headers.get("Sec-WebSocket-Key"))
        and headers.get("Sec-WebSocket-Version") in _VERSIONS
    )


def _is_url(origin: str) -> bool:
    """Return whether ``urlsplit`` can parse an origin, on which every ``check_origin`` relies."""
    try:
        _ = urllib.parse.urlsplit(origin).port
    except ValueError:
        return False
    return True
