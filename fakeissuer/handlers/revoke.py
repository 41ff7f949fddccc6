"""The revocation endpoint (RFC 7009 section 2)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply


class RevokeHandler(ClientHandler):
    """Revoke a token for the client that it was issued to."""

    endpoint = "revoke"

    def respond(self, server: Server) -> Reply:
        """Revoke the token if it belongs to the client; the response is the same if not (RFC 7009 section 2.2)."""
        form = self.form
        client = self.authenticated_client(server, form)
        token = form.get("token")
        if not token:
            raise OAuthError(ErrorCase.TOKEN_MISSING)
        issued = self.state.store.find(token)
        # Otherwise a client could revoke the tokens of other clients that it has seen.
        if issued is not None and issued.client_id == client.id and issued.server == server.id:
            self.state.store.revoke(token)
        return Reply(200)
