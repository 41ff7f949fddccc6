"""Calls a handler's ``authorize`` and rejects the request unless it returns True."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Awaitable, Iterator

import tornado.web

from service.errors import AccessDenied, Reason, ServiceError
from service.tokens.principal import Principal

_logger = logging.getLogger(__name__)


def call_authorize(handler: tornado.web.RequestHandler, principal: Principal) -> Awaitable[None] | None:
    """Call the handler's ``authorize``; return an awaitable only if that method is asynchronous.

    An error of this package or of Tornado keeps its own status; any other exception rejects the request.

    Raises:
        AccessDenied: ``authorize`` returned anything but True, or failed.
    """
    with _as_access_denied(handler):
        result = handler.authorize(principal)  # type: ignore[attr-defined]  # BearerAuthMixin has it
    if inspect.isawaitable(result):
        return _await_result(handler, result)
    _check_result(handler, result)
    return None


async def _await_result(handler: tornado.web.RequestHandler, awaitable: Awaitable[object]) -> None:
    with _as_access_denied(handler):
        result = await awaitable
    _check_result(handler, result)


def _check_result(handler: tornado.web.RequestHandler, result: object) -> None:
    if result is True:
        return
    if result is not False:
        # A forgotten `return` must not open the handler.
        _logger.error("%s.authorize returned %s; return True or False", _name(handler), type(result).__name__)
    raise AccessDenied(Reason.ACCESS_DENIED)


@contextlib.contextmanager
def _as_access_denied(handler: tornado.web.RequestHandler) -> Iterator[None]:
    """Turn an unexpected exception into a rejection, since the result was not True."""
    try:
        yield
    except (ServiceError, tornado.web.HTTPError):
        raise
    except Exception as exc:
        if not isinstance(exc, PermissionError):
            _logger.exception("%s.authorize failed, which rejects the request", _name(handler))
        raise AccessDenied(Reason.ACCESS_DENIED, type(exc).__name__) from exc


def _name(handler: object) -> str:
    return type(handler).__qualname__
