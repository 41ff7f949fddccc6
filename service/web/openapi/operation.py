"""Describes one method of a handler from its docstring and its requirements (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from tornado.websocket import WebSocketHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.components import DEFAULT, error_reference
from service.web.openapi.overrides import merge_overrides
from service.web.openapi.security import describe_token_sources, proof_parameters, security_requirements
from service.web.policy.description import describe_requirements
from service.web.policy.requirements import Requirements

_WEBSOCKET = (
    "Opens a WebSocket. The server closes it with 4401 when the token ends, and with 4403 when the token does not "
    "allow a message."
)


def describe_operation(
    handler: type[BearerAuthMixin], method: str, *, parameters: Sequence[dict[str, Any]], tokens: AcceptedTokens
) -> dict[str, Any]:
    """Return the operation of a method, with the fields of the attribute ``openapi`` merged into it.

    Args:
        parameters: The parameters of the path.
        tokens: The accepted tokens.
    """
    requirements = handler.policy.requirements[method]
    has_authorize = handler.policy.has_authorize and not requirements.public
    is_websocket = issubclass(handler, WebSocketHandler)
    summary, description = docstring_parts(getattr(handler, method.lower()))
    required = [*describe_requirements(requirements), *["approval by the handler"] * has_authorize]
    verb = "Accepts" if requirements.optional else "Requires"
    paragraphs = [
        description,
        _WEBSOCKET * is_websocket,
        *([] if requirements.public else [f"{verb} {'; '.join(required)}.", describe_token_sources(handler)]),
    ]
    texts = {"summary": summary, "description": "\n\n".join(filter(None, paragraphs))}
    operation: dict[str, Any] = {name: text for name, text in texts.items() if text}
    operation["operationId"] = f"{method.lower()}{handler.__name__}"
    if every := [*parameters, *proof_parameters(handler, requirements, tokens=tokens)]:
        operation["parameters"] = every
    operation["security"] = list(security_requirements(handler, requirements, tokens=tokens))
    statuses = sorted(_error_statuses(requirements, has_authorize=has_authorize, has_parameters=bool(parameters)))
    success = {"101": "The WebSocket is open."} if is_websocket else {"2XX": "The request is served."}
    operation["responses"] = {
        **{status: {"description": text} for status, text in success.items()},
        **{status: error_reference(status) for status in statuses},
    }
    return merge_overrides(operation, handler.openapi.get(method, {}))


def docstring_parts(target: Any) -> tuple[str, str]:
    """Return the first paragraph of a docstring and the rest; both are empty for Tornado's own code."""
    if getattr(target, "__module__", "").startswith("tornado."):
        return "", ""
    summary, _, rest = inspect.cleandoc(target.__doc__ or "").partition("\n\n")
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
        or requirements.roles
        or requirements.claims
        or requirements.allowed_clients
    ):
        yield "403"
