"""What the endpoints for clients share: the client proves who it is, and nobody keeps the answer."""

from __future__ import annotations

from fakeissuer.clients import authenticate, read_credentials
from fakeissuer.endpoints import ENDPOINTS
from fakeissuer.entries import Client, Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.endpoint import EndpointHandler
from fakeissuer.reply import RATE_LIMIT, RATE_WINDOW_S, Reply, json_reply, limit_reached

NEVER_KEPT = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Expires": "0"}
"""What goes with every answer that may hold a token or tell of one (RFC 6749 section 5.1)."""


class ClientHandler(EndpointHandler):
    """An endpoint that wants to know which client asks."""

    def common_headers(self) -> dict[str, str]:
        """Return what goes with every answer; the rate limit is told and never reached."""
        resets_at = int(self.issuer.clock.now()) + RATE_WINDOW_S
        rate = {"limit": RATE_LIMIT, "remaining": RATE_LIMIT - 1, "reset": resets_at}
        return super().common_headers() | {f"x-rate-limit-{name}": str(value) for name, value in rate.items()}

    def authenticated_client(self, server: Server, form: dict[str, str]) -> Client:
        """Return the client that sent the request to this endpoint of a server.

        Raises:
            Refused: it did not prove who it is.
        """
        authorization = self.request.headers.get_list("Authorization")
        state = self.issuer.state
        credentials = read_credentials(authorization, form, self.query, is_strict=state.profile.is_strict)
        endpoints = state.addresses.endpoints(server, self.requested_url)
        return authenticate(state, credentials, f"{endpoints}/{ENDPOINTS[self.endpoint].path}")

    def refuse(self, refused: Refused) -> Reply:
        """Return the answer to a refused request, which nobody may keep either."""
        if not self.issuer.state.profile.is_strict:
            limit = limit_reached(self.issuer.clock.now()) if refused.problem.value.status == 429 else {}
            return super().refuse(refused).with_defaults({**NEVER_KEPT, **limit})
        # RFC 6749 section 5.2: one shape for all errors, and a challenge for a client that failed to authenticate.
        case = refused.problem.value
        challenge = {"WWW-Authenticate": 'Basic realm="fakeissuer"'} if case.status == 401 else {}
        members = {"error": case.code, "error_description": str(refused)}
        return json_reply(members, case.status, {**NEVER_KEPT, **challenge})
