"""Describes one method of one handler, from its docstring and its requirements (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from tornado.websocket import WebSocketHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.components import DEFAULT, error_reference
from service.web.openapi.overrides import merge_overrides
from service.web.openapi.security import describe_token_sources, security_requirements
from service.web.policy.description import describe_requirements
from service.web.policy.requirements import Requirements

_SOCKET = "Opens a WebSocket, which is closed with 4401 when the token ends, and with 4403 when it does not allow more."


def describe_operation(
    handler: type[BearerAuthMixin], method: str, *, parameters: Sequence[dict[str, Any]], issuers: int
) -> dict[str, Any]:
    """Return the operation that a method is, with the words of its author laid over what follows from its code.

    Args:
        parameters: Those of its path.
        issuers: How many issuers' tokens are accepted.
    """
    requirements = handler.policy.of(method)
    has_authorize = handler.policy.has_authorize and not requirements.public
    is_socket = issubclass(handler, WebSocketHandler)
    summary, description = paragraphs(getattr(handler, method.lower()))
    sentence = f"Requires {'; '.join([*describe_requirements(requirements), *['the handler agrees'] * has_authorize])}."
    parts = [
        description,
        _SOCKET * is_socket,
        *([] if requirements.public else [sentence, describe_token_sources(handler)]),
    ]
    texts = {"summary": summary, "description": "\n\n".join(filter(None, parts))}
    operation: dict[str, Any] = {name: text for name, text in texts.items() if text}
    operation["operationId"] = f"{method.lower()}{handler.__name__}"
    if parameters:
        operation["parameters"] = list(parameters)
    operation["security"] = list(security_requirements(handler, requirements, issuers=issuers))
    statuses = sorted(_error_statuses(requirements, has_authorize=has_authorize, has_parameters=bool(parameters)))
    success = {"101": "The WebSocket is open."} if is_socket else {"2XX": "The request is served."}
    operation["responses"] = {
        **{status: {"description": text} for status, text in success.items()},
        **{status: error_reference(status) for status in statuses},
    }
    return merge_overrides(operation, handler.openapi.get(method, {}))


def paragraphs(documented: Any) -> tuple[str, str]:
    """Return the first line of a docstring, and the rest; nothing of what Tornado says about its own code."""
    if getattr(documented, "__module__", "").startswith("tornado."):
        return "", ""
    summary, _, rest = inspect.cleandoc(documented.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), rest.strip()


def _error_statuses(requirements: Requirements, *, has_authorize: bool, has_parameters: bool) -> Iterator[str]:
    yield DEFAULT
    if has_parameters:
        yield "404"
    if requirements.public:
        return
    yield from ("400", "401", "503")
    if (
        has_authorize
        or requirements.scopes.alternatives
        or requirements.groups
        or requirements.claims
        or requirements.allowed_clients
    ):
        yield "403"
