"""Protects a WebSocket: the token comes before the upgrade, and the socket ends with it (RFC 6455, RFC 6750).

A browser cannot add a header, so it may offer its token as a subprotocol, as Kubernetes does.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.websocket import WebSocketHandler

from service.errors import AccessDenied, InsufficientScope, InvalidRequest, IssuerUnavailable, Reason, TokenError
from service.tokens import base64url
from service.tokens.credentials import Credentials
from service.web.bearer import bearer

__all__ = ["TOKEN_ENDED", "close_code", "end_with_token", "guard_socket", "read_offered"]

OFFER = "base64url.bearer.authorization."
"""What a browser writes before its token, in base64url without padding, among the subprotocols it offers."""
GOING_AWAY, TRY_AGAIN_LATER, TOKEN_ENDED, FORBIDDEN = 1001, 1013, 4401, 4403
"""Close codes: the private ones echo the statuses of HTTP, the others are registered (RFC 6455 section 11.7)."""


def read_offered(request: HTTPServerRequest) -> Credentials | None:
    """Return the bearer token among the subprotocols of a request to open a WebSocket.

    Raises:
        InvalidRequest: There are two, or one that nobody can read.
    """
    offers = [one for one in _offered(request.headers) if one.startswith(OFFER)]
    if len(offers) > 1:
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(offers)} subprotocols with a token")
    if not offers:
        return None
    try:
        token = base64url.decode(offers[0].removeprefix(OFFER).encode("ascii")).decode("ascii")
    except ValueError:
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, "expected base64url in the subprotocol") from None
    return bearer(token)


def close_code(error: TokenError | IssuerUnavailable) -> int:
    """Return the code with which a socket is closed because of an error."""
    if isinstance(error, IssuerUnavailable):
        return TRY_AGAIN_LATER
    return FORBIDDEN if isinstance(error, InsufficientScope | AccessDenied) else TOKEN_ENDED


def end_with_token(handler: Any) -> None:
    """Close a socket once the token ends with which it goes on now."""
    handler.watch_token(
        on_end=lambda: handler.close(TOKEN_ENDED, "token ended"), on_stop=lambda: handler.close(GOING_AWAY, "stopping")
    )


def guard_socket(handler: type[Any]) -> None:
    """Guard the callbacks that a WebSocket handler has, its own or Tornado's, each once."""
    guards = {
        "get": _get,
        "open": _open,
        "on_message": _on_message,
        "on_close": _on_close,
        "select_subprotocol": _select,
    }
    for name, guard in guards.items():
        callback = getattr(handler, name)
        if not hasattr(callback, "guards_socket"):
            guarded = functools.wraps(callback)(guard(callback))
            vars(guarded)["guards_socket"] = True
            setattr(handler, name, guarded)
    if handler.check_origin is WebSocketHandler.check_origin:
        handler.check_origin = _check_origin


def _offered(headers: HTTPHeaders) -> list[str]:
    fields = headers.get_list("Sec-WebSocket-Protocol")
    return [one.strip() for field in fields for one in field.split(",")]


def _check_origin(self: Any, origin: str) -> bool:
    """Let the pages of the listed origins in, and those of this host; a browser asks nobody before it connects."""
    if self._cors.allows(origin) or WebSocketHandler.check_origin(self, origin):
        return True
    raise tornado.web.HTTPError(403, "a WebSocket of another origin")


def _get(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Tornado would refuse these too, as text: whoever calls an API reads JSON.
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket" or "Sec-WebSocket-Key" not in headers:
            raise tornado.web.HTTPError(426, "no request for a WebSocket")
        return callback(self, *args, **kwargs)

    return guarded


def _open(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._principal is not None:
            end_with_token(self)
        return _closing(self, functools.partial(callback, self, *args, **kwargs))

    return guarded


def _on_message(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, message: str | bytes) -> Any:
        if self._principal is not None and self._protection.watch.is_over(self._principal):
            # The next look may be a second away, and until then nobody may act with what has ended.
            self.close(TOKEN_ENDED, "token ended")
            return None
        return _closing(self, functools.partial(callback, self, message))

    return guarded


def _on_close(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any) -> Any:
        for watched in self._watched:
            watched.forget()
        return callback(self)

    return guarded


def _select(callback: Callable[..., str | None]) -> Callable[..., str | None]:
    def guarded(self: Any, subprotocols: Sequence[str]) -> str | None:
        # The answer must not repeat the token, and a browser that offered others gives up unless one is chosen.
        others = [one for one in subprotocols if not one.startswith(OFFER)]
        own = callback is not WebSocketHandler.select_subprotocol
        return callback(self, others) if own else next(iter(others), None)

    return guarded


def _closing(handler: Any, call: Callable[[], Any]) -> Any:
    """Run a callback, and close the socket with the code of the refusal that it raises."""
    try:
        result = call()
    except (TokenError, IssuerUnavailable) as exc:
        _close(handler, exc)
        return None
    return _awaited(handler, result) if inspect.isawaitable(result) else result


async def _awaited(handler: Any, result: Awaitable[Any]) -> None:
    try:
        await result
    except (TokenError, IssuerUnavailable) as exc:
        _close(handler, exc)


def _close(handler: Any, error: TokenError | IssuerUnavailable) -> None:
    handler.log_exception(type(error), error, None)
    handler.close(close_code(error), "refused")
