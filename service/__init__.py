"""An OAuth 2.0 resource server for Tornado: validates access tokens and protects handlers.

A request passes through these folders: ``web`` reads the credentials, ``authenticator`` selects a validator of
``validators``, which applies the rules in ``tokens`` to keys and responses fetched by ``issuers``, and ``web`` writes
the response.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from service.errors import (
    AccessDenied,
    CrossSiteRequest,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    IssuerUnavailable,
    MissingToken,
    Reason,
    RetryLater,
    ServiceError,
    SettingsError,
    TokenError,
    TooManyRequests,
)
from service.version import __version__

if TYPE_CHECKING:
    from service.app import make_app, protect
    from service.guard import Guard
    from service.instrumentation import Instrumentation
    from service.settings.program import Settings
    from service.tokens.principal import Principal
    from service.tracing.current import request_id
    from service.tracing.log_fields import add_request_fields
    from service.web.application.application import ResourceServerApplication
    from service.web.connections.server import LimitedHTTPServer
    from service.web.endpoints.forward_auth import ForwardAuth
    from service.web.handler.mixin import BearerAuthMixin
    from service.web.policy.policy import policy
    from service.web.policy.scopes import AnyOf
    from service.web.responses.rejection import RejectionResponse
    from service.web.routing.wrap import protected, public

__all__ = [
    "AccessDenied",
    "AnyOf",
    "BearerAuthMixin",
    "CrossSiteRequest",
    "ForwardAuth",
    "Guard",
    "Instrumentation",
    "InsufficientAuthentication",
    "InsufficientScope",
    "InvalidRequest",
    "InvalidToken",
    "IssuerUnavailable",
    "LimitedHTTPServer",
    "MissingToken",
    "Principal",
    "Reason",
    "RejectionResponse",
    "ResourceServerApplication",
    "RetryLater",
    "ServiceError",
    "Settings",
    "SettingsError",
    "TokenError",
    "TooManyRequests",
    "__version__",
    "add_request_fields",
    "make_app",
    "policy",
    "protect",
    "protected",
    "public",
    "request_id",
]

_EXPORTED_BY = {
    "make_app": "service.app",
    "protect": "service.app",
    "Guard": "service.guard",
    "Instrumentation": "service.instrumentation",
    "Settings": "service.settings.program",
    "Principal": "service.tokens.principal",
    "request_id": "service.tracing.current",
    "add_request_fields": "service.tracing.log_fields",
    "ResourceServerApplication": "service.web.application.application",
    "LimitedHTTPServer": "service.web.connections.server",
    "ForwardAuth": "service.web.endpoints.forward_auth",
    "BearerAuthMixin": "service.web.handler.mixin",
    "policy": "service.web.policy.policy",
    "AnyOf": "service.web.policy.scopes",
    "RejectionResponse": "service.web.responses.rejection",
    "protected": "service.web.routing.wrap",
    "public": "service.web.routing.wrap",
}
"""The modules of the names that are imported when they are first used.

The supervisor of the workers reads settings and needs no handlers: it starts sooner, and without Tornado's memory.
"""


if not TYPE_CHECKING:  # it would make every name an attribute

    def __getattr__(name: str) -> Any:
        """Import a name that is used for the first time."""
        if name not in _EXPORTED_BY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(_EXPORTED_BY[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
