"""Asks a handler's own ``authorize``, and refuses unless it says yes."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Awaitable, Iterator

import tornado.web

from service.errors import AccessDenied, Reason, ServiceError
from service.tokens.principal import Principal

_logger = logging.getLogger(__name__)


def ask(handler: tornado.web.RequestHandler, principal: Principal) -> Awaitable[None] | None:
    """Return when the handler lets a principal pass; a handler that answers at once has nothing to await.

    An error of this package or of Tornado keeps its own status, and any other is a refusal.

    Raises:
        AccessDenied: It said anything but True, or raised an error.
    """
    with _only_refusals(handler):
        answer = handler.authorize(principal)  # type: ignore[attr-defined]  # BearerAuthMixin has it
    if inspect.isawaitable(answer):
        return _wait_for(handler, answer)
    _check(handler, answer)
    return None


async def _wait_for(handler: tornado.web.RequestHandler, answer: Awaitable[object]) -> None:
    with _only_refusals(handler):
        said = await answer
    _check(handler, said)


def _check(handler: tornado.web.RequestHandler, said: object) -> None:
    if said is True:
        return
    if said is not False:
        # A forgotten `return` must not open the handler.
        _logger.error("%s.authorize returned %s; return True or False", _name(handler), type(said).__name__)
    raise AccessDenied(Reason.ACCESS_DENIED)


@contextlib.contextmanager
def _only_refusals(handler: tornado.web.RequestHandler) -> Iterator[None]:
    """Turn what goes wrong into a refusal: whatever it was, the answer was not yes."""
    try:
        yield
    except (ServiceError, tornado.web.HTTPError):
        raise
    except Exception as exc:
        if not isinstance(exc, PermissionError):
            _logger.exception("%s.authorize failed, which refuses the request", _name(handler))
        raise AccessDenied(Reason.ACCESS_DENIED, type(exc).__name__) from exc


def _name(handler: object) -> str:
    return type(handler).__qualname__
