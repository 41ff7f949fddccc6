"""The revocation endpoint (RFC 7009 section 2)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply


class RevokeHandler(ClientHandler):
    """The end of a token, at the wish of the client that it was issued to."""

    endpoint = "revoke"

    def respond(self, server: Server) -> Reply:
        """Revoke the token if it is the client's own; the answer tells nobody whether it was (RFC 7009 section 2.2)."""
        form = self.form
        client = self.authenticated_client(server, form)
        token = form.get("token")
        if not token:
            raise OAuthError(ErrorCase.TOKEN_MISSING)
        issued = self.state.store.find(token)
        # Any client could otherwise end the sessions of all others with tokens that it has merely seen.
        if issued is not None and issued.client_id == client.id and issued.server == server.id:
            self.state.store.revoke(token)
        return Reply(200)
