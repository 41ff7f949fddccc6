"""Protects a WebSocket: the token comes before the upgrade, and the socket ends with it (RFC 6455, RFC 6750).

A browser cannot add a header, so it may offer its token as a subprotocol, as Kubernetes does.
"""

from __future__ import annotations

import functools
import inspect
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.websocket import WebSocketHandler

from service.errors import AccessDenied, InsufficientScope, InvalidRequest, IssuerUnavailable, Reason, TokenError
from service.tokens import base64url
from service.tokens.credentials import Credentials
from service.web.credentials.header import bearer

OFFER = "base64url.bearer.authorization."
"""What a browser writes before its token, in base64url without padding, among the subprotocols it offers."""
GOING_AWAY, TRY_AGAIN_LATER, TOKEN_ENDED, FORBIDDEN = 1001, 1013, 4401, 4403
"""Close codes: the private ones echo the statuses of HTTP, the others are registered (RFC 6455 section 11.7)."""
_VERSIONS = frozenset({"7", "8", "13"})


def read_offered(request: HTTPServerRequest) -> Credentials | None:
    """Return the bearer token among the subprotocols of a request to open a WebSocket.

    Raises:
        InvalidRequest: There are two, or one that nobody can read.
    """
    offers = [one for one in _offered(request.headers) if _is_offer(one)]
    if len(offers) > 1:
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(offers)} subprotocols with a token")
    if not offers:
        return None
    try:
        token = base64url.decode(offers[0][len(OFFER) :].encode("ascii")).decode("ascii")
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
        on_end=lambda: _end(handler, TOKEN_ENDED, "token ended"), on_stop=lambda: _end(handler, GOING_AWAY, "stopping")
    )


def guard_socket(handler: type[Any]) -> None:
    """Guard the callbacks that a WebSocket handler has, its own or Tornado's, each once."""
    guards = {
        "get": _get,
        "open": _open,
        "on_message": _on_message,
        "on_close": _on_close,
        "check_origin": _check_origin,
        "select_subprotocol": _select,
    }
    for name, guard in guards.items():
        callback = getattr(handler, name)
        if not hasattr(callback, "guards_socket"):
            guarded = functools.wraps(callback)(guard(callback))
            vars(guarded)["guards_socket"] = True
            setattr(handler, name, guarded)


def _is_offer(subprotocol: str) -> bool:
    return subprotocol.lower().startswith(OFFER)


def _offered(headers: HTTPHeaders) -> list[str]:
    fields = headers.get_list("Sec-WebSocket-Protocol")
    return [one.strip() for field in fields for one in field.split(",")]


def _check_origin(callback: Callable[..., bool]) -> Callable[..., bool]:
    """Let the pages in that the handler wants, or else those of the listed origins and of this host.

    A browser asks nobody before it connects.
    """
    is_tornados = callback is WebSocketHandler.check_origin

    def guarded(self: Any, origin: str) -> bool:
        is_inner, self._checks_origin = self._checks_origin, True
        try:
            allowed = (
                self._cors.allows(origin) or _is_own(self.request, origin) if is_tornados else callback(self, origin)
            )
        finally:
            self._checks_origin = is_inner
        if (
            not allowed and not is_inner
        ):  # one that asks the one above it gets an answer, and Tornado no word of its own
            raise tornado.web.HTTPError(403, "a WebSocket of another origin")
        return bool(allowed)

    return guarded


def _is_own(request: HTTPServerRequest, origin: str) -> bool:
    return urllib.parse.urlsplit(origin).netloc.lower() == request.host.lower()


def _is_readable(origin: str) -> bool:
    """Return whether the functions by which handlers judge an origin can read it, in place of raising an error."""
    try:
        _ = urllib.parse.urlsplit(origin).port
    except ValueError:
        return False
    return True


def _get(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Tornado would refuse these too, as text or with a stack in the log: whoever calls an API reads JSON.
        headers = self.request.headers
        if not _asks_for_socket(headers):
            raise tornado.web.HTTPError(426, "no request for a WebSocket that we speak")
        origin = headers.get("Origin", headers.get("Sec-WebSocket-Origin"))
        if origin is None and headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise tornado.web.HTTPError(403, "a WebSocket of another site, which hides its origin")
        if origin is not None and not _is_readable(origin):
            raise tornado.web.HTTPError(403, "a WebSocket of an origin that is none")
        return callback(self, *args, **kwargs)

    return guarded


def _asks_for_socket(headers: HTTPHeaders) -> bool:
    """Return whether a request asks for a WebSocket of a version that Tornado speaks (RFC 6455 section 4.2.1)."""
    connection = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    return (
        headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in connection
        and bool(headers.get("Sec-WebSocket-Key"))
        and headers.get("Sec-WebSocket-Version") in _VERSIONS
    )


def _open(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._principal is not None:
            end_with_token(self)
        return _closing(self, functools.partial(callback, self, *args, **kwargs))

    return guarded


def _on_message(callback: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: Any, message: str | bytes) -> Any:
        if self._ended:
            return None  # a client that goes on sending has not read yet that we closed, or does not want to
        if self._principal is not None and self._context.monitor.is_expired_or_denied(self._principal):
            # The next look may be a second away, and until then nobody may act with what has ended.
            _end(self, TOKEN_ENDED, "token ended")
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
        others = [one for one in subprotocols if not _is_offer(one)]
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
    _end(handler, close_code(error), "refused")


def _end(handler: Any, code: int, reason: str) -> None:
    """Close a socket, and act on nothing more that comes in: Tornado waits seconds for the client to close it too."""
    handler._ended = True  # noqa: SLF001  # set here alone, for the guards above
    handler.close(code, reason)
