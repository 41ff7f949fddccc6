"""Authenticates and authorizes a request before any ``prepare``, and again if that changes the method."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar, cast

import tornado.web
from tornado.httputil import HTTPServerRequest

from service.authenticator import Authenticator
from service.binding import SCHEME
from service.errors import MissingToken
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.credentials.sources import read_credentials
from service.web.handler import websocket
from service.web.handler.authorization import call_authorize
from service.web.handler.csrf import check_same_site
from service.web.handler.errors.early_response import reject, respond_to_preflight
from service.web.handler.errors.preflight import has_own_preflight, leave_preflight_to_handler
from service.web.responses.cors import CrossOriginPolicy, is_preflight
from service.web.responses.resource import Resource

Prepare = Callable[[Any], Awaitable[None] | None]
P = TypeVar("P", bound=Callable[..., Any])


class _Done(Awaitable[None]):
    """A completed awaitable, so that ``super().prepare()`` may be awaited or not."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_DONE = _Done()


class _StreamedBody(asyncio.Future[None]):
    """Replaces Tornado's future of a streamed body: once it is awaited, Tornado calls the method of the request."""

    def __init__(self, handler: Any) -> None:
        super().__init__()
        self._handler = handler

    def __await__(self) -> Generator[Any, None, None]:
        yield from super().__await__()
        yield from _authorize_changed_method(self._handler).__await__()


def authenticate_first(prepare: P) -> P:
    """Return a ``prepare`` that authenticates the request before the given one runs, once a request.

    It passes on all arguments, such as those of ``await super().prepare(redirect=False)``.
    """

    @functools.wraps(prepare)
    def authenticating(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._is_authentication_done:
            return prepare(self, *args, **kwargs) or _DONE
        self._is_authentication_done = True
        self._complete_written_header_fields()
        try:
            authentication: Awaitable[None] | None = self._authenticate_request()
        except Exception as exc:  # noqa: BLE001  # whatever a validator raises, the client gets a response
            reject(self, exc)
            return None
        own: Prepare = functools.partial(_call, prepare, args, kwargs) if args or kwargs else prepare
        if authentication is not None:
            return _then_prepare(self, authentication, own)
        return _prepare(self, own)

    vars(authenticating)["authenticates_first"] = True
    return cast("P", authenticating)


def _call(prepare: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], handler: Any) -> Any:
    return prepare(handler, *args, **kwargs)


def authenticate_request(handler: Any) -> Awaitable[None] | None:
    """Authenticate and authorize a request; return an awaitable only if its token must be validated.

    Raises:
        TokenError: The request has no token, or a token that is rejected.
        IssuerUnavailable: The token cannot be validated now.
        CrossSiteRequest: Another site sent the request with a user's cookie.
        tornado.web.HTTPError: 405 for an unknown method, 403 for a WebSocket of another site.
    """
    request = handler.request
    if request.method == "OPTIONS" and is_preflight(request.headers):
        if has_own_preflight(handler):
            leave_preflight_to_handler(handler)
        else:
            respond_to_preflight(handler)
        return None
    return _authenticate_method(handler)


def find_cached(
    request: HTTPServerRequest,
    credentials: Credentials,
    *,
    authenticator: Authenticator,
    cors: CrossOriginPolicy,
    resource: Resource,
) -> Principal | None:
    """Return the cached principal of a request's credentials, or None if they must be validated; awaits nothing.

    Raises:
        CrossSiteRequest: The token is in a cookie, and another site sent the request.
        InvalidToken: The principal is cached, and on the deny list.
    """
    if credentials.place == "cookie":
        check_same_site(request, cors=cors, resource=resource)
    return authenticator.get_cached(credentials)


def authorize(handler: Any, principal: Principal) -> Awaitable[None] | None:
    """Check the requirements and set the principal; return an awaitable only if ``authorize`` is asynchronous."""
    context = handler._context
    handler._requirements.check(principal, now=context.clock.now(), matching=context.scope_matching)
    handler._set_principal(principal)
    return call_authorize(handler, principal) if type(handler).policy.has_authorize else None


def _authenticate_method(handler: Any) -> Awaitable[None] | None:
    request = handler.request
    handler._authorized_method = request.method
    if request.method not in type(handler).policy.requirements:
        raise tornado.web.HTTPError(405)
    requirements = handler._requirements
    credentials = handler._credentials
    if credentials is None and not requirements.public:
        credentials = read_credentials(request, handler._token_sources)
        if credentials is None and not requirements.optional:
            raise MissingToken
    if handler._is_websocket and request.method == "GET":
        websocket.check_handshake(handler)
    handler._is_preflight = False
    if credentials is None or requirements.public:
        handler._set_principal(handler._principal)  # drops the user that was read before the credentials
        return None
    context = handler._context
    if credentials.scheme == SCHEME or requirements.dpop is not None or context.possession.certificate_of is not None:
        credentials = replace(credentials, possession=context.read_possession(handler))
    authenticator = handler._authenticator
    principal = find_cached(
        request, credentials, authenticator=authenticator, cors=handler._cors, resource=context.resource
    )
    handler._credentials = credentials
    return _validate_and_authorize(handler, credentials) if principal is None else authorize(handler, principal)


async def _validate_and_authorize(handler: Any, credentials: Credentials) -> None:
    principal = await handler._authenticator.authenticate(credentials, peer=handler.request.remote_ip)
    if credentials.possession is not None and credentials.possession.next_nonce is not None:
        handler.set_header("DPoP-Nonce", credentials.possession.next_nonce)  # before the old one ends
    authorization = authorize(handler, principal)
    if authorization is not None:
        await authorization


async def _then_prepare(handler: Any, authentication: Awaitable[None], prepare: Prepare) -> None:
    closing = _PostponedClose(handler)
    try:
        await authentication
    except Exception as exc:  # noqa: BLE001  # as above
        reject(handler, exc)
        return
    closing.restore()
    result = _prepare(handler, prepare)
    if result is not None:
        await result
    if closing.is_closed and not handler._finished:
        handler.on_connection_close()


class _PostponedClose:
    """Notes that a client disconnects while its token is validated, for the handler to learn after its ``prepare``.

    Its own ``on_connection_close`` may rely on ``prepare``.
    """

    def __init__(self, handler: Any) -> None:
        self.is_closed = False
        self._handler = handler
        vars(handler)["on_connection_close"] = self._note  # called by the delegate of the request

    def _note(self) -> None:
        self.is_closed = True
        tornado.web.RequestHandler.on_connection_close(self._handler)  # ends the waiting for a streamed body

    def restore(self) -> None:
        """Call the handler's own method from now on."""
        del self._handler.on_connection_close


def _prepare(handler: Any, prepare: Prepare) -> Awaitable[None] | None:
    if handler._finished:  # by the response to a preflight, or by ``authorize``
        return None
    handler._is_authorized = True
    if handler._stream_request_body and not handler.request._body_future.done():
        handler.request._body_future = _StreamedBody(handler)
    result = prepare(handler)
    if result is None and handler.request.method == handler._authorized_method:
        _check_prepared(handler)
        return None
    return _await_prepare(handler, result)


async def _await_prepare(handler: Any, result: Awaitable[None] | None) -> None:
    if result is not None:
        await result
    _check_prepared(handler)
    await _authorize_changed_method(handler)


def _check_prepared(handler: Any) -> None:
    """Raise RuntimeError if ``prepare`` has set a requirement, which nothing reads any more."""
    if not handler._class_only.isdisjoint(vars(handler)):
        name = min(handler._class_only & vars(handler).keys())
        raise RuntimeError(
            f"prepare of {type(handler).__qualname__} sets {name}, which has no effect; set it in the class body"
        )


async def _authorize_changed_method(handler: Any) -> None:
    """Authorize the method that Tornado calls next, if the handler has set ``request.method`` to another one.

    Otherwise a header such as ``X-HTTP-Method-Override`` would turn a POST into a DELETE that needs more scopes.
    """
    sent = handler._authorized_method
    try:
        while handler.request.method != handler._authorized_method and not handler._finished:
            authorization = _authenticate_method(handler)
            if authorization is not None:
                await authorization
    except BaseException:
        handler.request.method = sent  # which determines whether the error response has a body
        raise
