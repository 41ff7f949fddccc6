"""The token endpoint (RFC 6749 section 3.2)."""

from __future__ import annotations

from fakeissuer.handlers.base.client_endpoint import ClientHandler
from fakeissuer.model.servers import Server
from fakeissuer.oauth.grants import handle_token_request
from fakeissuer.oauth.issue import TokenRequest
from fakeissuer.responses.reply import Reply, json_reply


class TokenHandler(ClientHandler):
    """Tokens for clients that prove who they are."""

    endpoint = "token"

    def respond(self, server: Server) -> Reply:
        """Return the tokens that the grant gives."""
        form = self.form
        client = self.authenticated_client(server, form)
        request = TokenRequest(
            state=self.state,
            server=server,
            issuer=self.issuer_of(server),
            client=client,
            form=form,
            requested_url=self.requested_url,
        )
        return json_reply(handle_token_request(request), headers={"X-Robots-Tag": "noindex,nofollow"})
