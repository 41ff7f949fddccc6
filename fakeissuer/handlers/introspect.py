"""The introspection endpoint (RFC 7662 section 2)."""

from __future__ import annotations

from fakeissuer.directory import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.client import NEVER_KEPT, ClientHandler
from fakeissuer.introspection import introspect
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply, json_reply


class IntrospectHandler(ClientHandler):
    """The truth about a token, for any client that proves who it is; a public one just names itself."""

    endpoint = "introspect"

    def answer(self, server: Server) -> Reply:
        """Return what is known of the token; a `token_type_hint` changes nothing (RFC 7662 section 2.1)."""
        form = self.form
        self.authenticated_client(form)
        if not form.get("token"):
            raise Refused(Problem.TOKEN_MISSING)
        answer = introspect(self.issuer.state, server, self.issuer_of(server), form["token"])
        return json_reply(answer, headers=NEVER_KEPT)
