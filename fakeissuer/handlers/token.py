"""The token endpoint (RFC 6749 section 3.2)."""

from __future__ import annotations

from fakeissuer.clients import authenticate, read_credentials
from fakeissuer.directory import Client, Server
from fakeissuer.errors import Refused
from fakeissuer.grants import answer_token_request
from fakeissuer.handlers.base import EndpointHandler
from fakeissuer.reply import Reply, json_reply

NEVER_KEPT = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Expires": "0"}
"""What goes with every answer that may hold a token (RFC 6749 section 5.1)."""


class ClientHandler(EndpointHandler):
    """An endpoint that wants to know which client asks."""

    def authenticated_client(self, form: dict[str, str]) -> Client:
        """Return the client that sent the request.

        Raises:
            Refused: it did not prove who it is.
        """
        authorization = self.request.headers.get_list("Authorization")
        return authenticate(self.issuer.state.directory.clients, read_credentials(authorization, form, self.query))

    def refuse(self, refused: Refused) -> Reply:
        """Return the answer to a refused request, which nobody may keep either."""
        return super().refuse(refused).with_defaults(NEVER_KEPT)


class TokenHandler(ClientHandler):
    """Tokens for clients that prove who they are."""

    endpoint = "token"

    def answer(self, server: Server) -> Reply:
        """Return the tokens that the grant gives."""
        form = self.form
        client = self.authenticated_client(form)
        answer = answer_token_request(self.issuer.state, server, self.issuer_of(server), client, form)
        return json_reply(answer, headers={**NEVER_KEPT, "X-Robots-Tag": "noindex,nofollow"})
