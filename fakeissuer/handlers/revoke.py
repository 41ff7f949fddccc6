"""The revocation endpoint (RFC 7009 section 2)."""

from __future__ import annotations

from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.client import ClientHandler
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply


class RevokeHandler(ClientHandler):
    """The end of a token, at the wish of the client that it was issued to."""

    endpoint = "revoke"

    def answer(self, server: Server) -> Reply:
        """Revoke the token if it is the client's own; the answer tells nobody whether it was (RFC 7009 section 2.2)."""
        form = self.form
        client = self.authenticated_client(server, form)
        token = form.get("token")
        if not token:
            raise Refused(Problem.TOKEN_MISSING)
        issued = self.issuer.state.store.find(token)
        # Any client could otherwise end the sessions of all others with tokens that it has merely seen.
        if issued is not None and issued.client_id == client.id and issued.server == server.id:
            self.issuer.state.store.revoke(token)
        return Reply(200)
