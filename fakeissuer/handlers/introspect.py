"""The introspection endpoint (RFC 7662 section 2), with signed JWT responses (RFC 9701)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.servers import Server
from fakeissuer.oauth.introspection import JWT_MEDIA_TYPE, introspect, signed_introspection
from fakeissuer.responses.reply import Reply, json_reply


class IntrospectHandler(ClientHandler):
    """Introspect a token for any authenticated client; a public client only sends its id."""

    endpoint = "introspect"

    def respond(self, server: Server) -> Reply:
        """Return the introspection response; a ``token_type_hint`` is ignored (RFC 7662 section 2.1)."""
        form = self.form
        client = self.authenticated_client(server, form)
        if not form.get("token"):
            raise OAuthError(ErrorCase.TOKEN_MISSING)
        state, issuer = self.state, self.issuer_of(server)
        response = introspect(state, server, issuer, client.id, form["token"])
        if not self._accepts_jwt():
            return json_reply(response)
        signed = signed_introspection(state, server, issuer, client.id, response)
        return Reply(200, signed.encode(), {"Content-Type": JWT_MEDIA_TYPE})

    def _accepts_jwt(self) -> bool:
        accepted = ",".join(self.request.headers.get_list("Accept")).lower().split(",")
        return JWT_MEDIA_TYPE in (media_range.partition(";")[0].strip() for media_range in accepted)
