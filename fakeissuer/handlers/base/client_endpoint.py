"""What the endpoints for clients share: the client proves who it is, and nobody keeps the answer."""

from __future__ import annotations

from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ENDPOINTS
from fakeissuer.model.servers import Server
from fakeissuer.oauth.client_authentication import authenticate, read_credentials

_NO_STORE_HEADERS = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Expires": "0"}
"""What goes with every answer that may hold a token or tell of one (RFC 6749 section 5.1)."""


class ClientHandler(EndpointHandler):
    """An endpoint that wants to know which client asks."""

    is_limited = True

    def common_headers(self) -> dict[str, str]:
        """Return what goes with every answer, whatever its status."""
        return super().common_headers() | _NO_STORE_HEADERS

    def authenticated_client(self, server: Server, form: dict[str, str]) -> Client:
        """Return the client that sent the request to this endpoint of a server.

        Raises:
            OAuthError: it did not prove who it is.
        """
        authorization = self.request.headers.get_list("Authorization")
        state = self.state
        credentials = read_credentials(authorization, form, self.query, is_strict=state.profile.is_strict)
        endpoints = state.urls.endpoints(server, self.requested_url)
        return authenticate(state, credentials, f"{endpoints}/{ENDPOINTS[self.endpoint].path}")
