"""Access tokens for Jupyter Server: an identity provider, and an authorizer by scopes.

Put this file where Python finds it, and add to ``jupyter_server_config.py``:

.. code-block:: python

    c.ServerApp.identity_provider_class = "jupyter_tokens.TokenIdentityProvider"
    c.ServerApp.authorizer_class = "jupyter_tokens.ScopeAuthorizer"

The issuer and the audience come from the environment, such as ``OKTA_OAUTH2_ISSUER`` and ``OKTA_OAUTH2_AUDIENCE``.
A client reads with scopes such as ``contents:read``, changes with ``contents:write``, and runs code with
``kernels:write``.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

import tornado.web
from jupyter_server.auth import Authorizer, IdentityProvider, User
from jupyter_server.services.api.handlers import IdentityHandler
from tornado.websocket import WebSocketHandler
from traitlets import Bool

from service import Guard, Principal, ServiceError, Settings, SettingsError, TokenError

TOKEN_ENDED = 4401
"""The code that closes a WebSocket whose token has expired or is revoked."""


class TokenUser(User):
    """The user of a validated token; Jupyter sends the fields of :class:`User` to clients, but not the claims."""

    def __init__(self, principal: Principal) -> None:
        # A subject is unique only within its issuer; with several issuers, add principal.issuer to the name.
        super().__init__(username=principal.subject or principal.client_id or "unknown")
        self.principal = principal


class TokenIdentityProvider(IdentityProvider):
    """Authenticates each request with its access token; there is no login page and no cookie."""

    need_token = Bool(default_value=False)  # no token of Jupyter's own
    login_available = False
    logout_available = False

    guard: Guard

    def validate_security(self, app: Any, ssl_options: dict[str, Any] | None = None) -> None:
        """Create the guard when Jupyter starts, so that a mistake in the settings stops it."""
        super().validate_security(app, ssl_options)
        try:
            self.guard = Guard(Settings())
        except (ValueError, SettingsError) as exc:
            app.log.critical("The access tokens cannot be validated: %s", exc)
            app.exit(2)

    async def get_user(self, handler: Any) -> TokenUser | None:
        """Return the user of a request; reject every request without a good token, but the preflight of a browser."""
        try:
            principal = await self.guard.authenticate(handler.request)
            if principal is None and is_preflight(handler):
                return None
            user = TokenUser(self.guard.authorize(principal))
        except ServiceError as exc:
            self.reject(handler, exc)
        handler._token_authenticated = True  # noqa: SLF001  # Jupyter checks the XSRF cookie of other requests
        if isinstance(handler, WebSocketHandler):
            on_end = functools.partial(close_socket, handler)
            vars(handler)["monitored_token"] = self.guard.watch_token(user.principal, handler.request, on_end=on_end)
        return user

    def reject(self, handler: Any, error: ServiceError) -> NoReturn:
        """Send the response to a rejected request, and end its processing."""
        self.guard.reject(error, handler.request).write_to(handler)
        raise tornado.web.Finish


class ScopeAuthorizer(Authorizer):
    """Requires ``RESOURCE:read`` or ``RESOURCE:write``, where RESOURCE is Jupyter's name, such as ``contents``."""

    def is_authorized(self, handler: Any, user: TokenUser, action: str, resource: str) -> bool:
        """Return True if the token has the scope; reject the request if it has not."""
        scope = f"{resource}:{'read' if action == 'read' else 'write'}"
        try:
            self.identity_provider.guard.authorize(user.principal, scopes=scope)
        except TokenError as exc:
            if isinstance(handler, IdentityHandler):
                return False  # the client requests the list of its permissions
            self.identity_provider.reject(handler, exc)
        return True


def is_preflight(handler: Any) -> bool:
    """Return whether Jupyter responds to a preflight, to which no browser adds a token."""
    return handler.request.method == "OPTIONS" and getattr(handler.options, "__allow_unauthenticated", False) is True


def close_socket(handler: Any) -> None:
    """Close a WebSocket, or the connection if its handshake is not complete."""
    if handler.ws_connection is None:
        handler.request.connection.close()
    else:
        handler.close(TOKEN_ENDED, "token ended")
