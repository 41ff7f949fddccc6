"""The backchannel authentication endpoint (OpenID Connect CIBA section 7)."""

from __future__ import annotations

import math

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.grant_types import CIBA
from fakeissuer.model.servers import Server
from fakeissuer.oauth.authorization.backchannel import begin
from fakeissuer.oauth.authorization.request_object import with_request_object
from fakeissuer.responses.reply import Reply, json_reply


class BackchannelHandler(ClientHandler):
    """Start the authentication of a user who is not at the client's device."""

    endpoint = "backchannel"

    def respond(self, server: Server) -> Reply:
        """Return the ``auth_req_id`` with which the client polls the token endpoint."""
        form, state, issuer = self.form, self.state, self.issuer_of(server)
        client = self.authenticated_client(server, form)
        if CIBA not in client.grant_types:
            raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
        parameters = with_request_object(state, issuer, {**form, "client_id": client.id})
        auth_req_id, authentication = begin(state, server, issuer, client, parameters)
        expires_in = math.ceil(authentication.expires_at - state.clock.now())
        members = {"auth_req_id": auth_req_id, "expires_in": expires_in, "interval": authentication.interval_s}
        return json_reply(members)
