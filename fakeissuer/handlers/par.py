"""The pushed authorization request endpoint (RFC 9126 section 2)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.servers import Server
from fakeissuer.oauth.authorization.request import read_request, read_target
from fakeissuer.oauth.authorization.request_object import with_request_object
from fakeissuer.oauth.dpop import ProofProblem, proof_rejected
from fakeissuer.responses.reply import Reply, json_reply
from fakeissuer.state.pending import PushedRequest

_LIFETIME_S = 3600

_CREDENTIAL_PARAMETERS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class ParHandler(ClientHandler):
    """Store an authorization request that a client sends directly."""

    endpoint = "par"
    takes_proofs = True

    def respond(self, server: Server) -> Reply:
        """Check and store the request; Okta responds with 200, where RFC 9126 section 2.2 requires 201."""
        form, state = self.form, self.state
        thumbprint = self.proof_thumbprint(server)
        client = self.authenticated_client(server, form)
        if "request_uri" in form:
            raise OAuthError(ErrorCase.REQUEST_URI_UNKNOWN)
        parameters = {name: value for name, value in form.items() if name not in _CREDENTIAL_PARAMETERS}
        parameters["client_id"] = client.id
        parameters = dict(with_request_object(state, self.issuer_of(server), parameters))
        if thumbprint is not None and parameters.setdefault("dpop_jkt", thumbprint) != thumbprint:
            raise proof_rejected(ProofProblem.OTHER_KEY)  # RFC 9449 section 10.1
        target = read_target(state, self.issuer_of(server), parameters)
        read_request(state, server, target, parameters)
        name = f"urn:okta:{random_text()}"
        pushed = PushedRequest(server=server.id, parameters=parameters)
        state.pushed.put(name, pushed, expires_at=self.now + _LIFETIME_S)
        status = 201 if state.profile.is_strict else 200
        return json_reply({"request_uri": name, "expires_in": _LIFETIME_S}, status)
