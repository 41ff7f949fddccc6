"""An OAuth 2.0 resource server for Tornado: validates access tokens and protects handlers.

A request passes through these folders: ``web`` reads the credentials, ``authenticator`` selects a validator of
``validators``, which applies the rules in ``tokens`` to keys and responses fetched by ``issuers``, and ``web`` writes
the response.
"""

from __future__ import annotations

from service.app import make_app, protect
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
from service.guard import Guard
from service.instrumentation import Instrumentation
from service.settings.program import Settings
from service.tokens.principal import Principal
from service.tracing.current import request_id
from service.tracing.log_fields import add_request_fields
from service.version import __version__
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
