"""Lets the application's own ``options`` respond to a preflight, which has no token, without sending any content."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders

from service.errors import MissingToken


def has_own_preflight(handler: Any) -> bool:
    """Return whether the ``options`` of a handler, a ``BearerAuthMixin``, responds to a preflight in place of ours.

    It does not if origins are listed, if OPTIONS has requirements of its own, or if ``options`` is another method of
    the handler: a client that sends the header fields of a preflight would call ``get`` without a token.
    """
    kind = type(handler)
    options = kind.options
    if handler._cors.is_enabled or options is tornado.web.RequestHandler.options or "_execute" in vars(handler):
        return False
    is_other_method = any(inspect.unwrap(getattr(kind, name)) is inspect.unwrap(options) for name in _others(kind))
    return "OPTIONS" not in kind.policy.named_methods and not is_other_method


def leave_preflight_to_handler(handler: Any) -> None:
    """Let the ``prepare`` and the ``options`` of a handler run without a token, and nothing else.

    A ``prepare`` that changes the method is authenticated; an ``options`` that calls ``get`` is rejected.
    """
    handler._authorized_method, handler._is_preflight = "OPTIONS", True
    handler._transforms = [*handler._transforms, _WithoutContent()]
    for name in _others(type(handler)):
        vars(handler)[name] = functools.partial(_call_with_token, handler, name)


def _call_with_token(handler: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    if handler._is_preflight:
        raise MissingToken
    return getattr(type(handler), name)(handler, *args, **kwargs)


def _others(kind: type[Any]) -> set[str]:
    """Return the names of the methods of a handler class for other requests than OPTIONS."""
    return {name.lower() for name in kind.SUPPORTED_METHODS if hasattr(kind, name.lower())} - {"options"}


class _WithoutContent(tornado.web.OutputTransform):
    """Removes the content of a response: browsers do not read that of a preflight, and anyone may send one."""

    def __init__(self) -> None:
        """Ignore the request, which Tornado passes to its own transformations."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,  # noqa: ARG002  # Tornado's signature
        finishing: bool,  # noqa: ARG002, FBT001  # as above
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Return the status and the header fields, without the first part of the content."""
        if status_code >= 200 and status_code not in {204, 304}:
            headers["Content-Length"] = "0"
        return status_code, headers, b""

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:  # noqa: ARG002, FBT001  # as above
        """Return no content."""
        return b""
