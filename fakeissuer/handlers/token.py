"""The token endpoint (RFC 6749 section 3.2)."""

from __future__ import annotations

from collections.abc import Callable

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import UNSUPPORTED_GRANTS
from fakeissuer.model.servers import Server
from fakeissuer.oauth.dpop import ProofProblem, proof_rejected
from fakeissuer.oauth.grants import GRANTS
from fakeissuer.oauth.issue import TokenRequest, TokenResponse
from fakeissuer.responses.reply import Reply, json_reply


class TokenHandler(ClientHandler):
    """Issue tokens to authenticated clients."""

    endpoint = "token"
    takes_proofs = True

    def respond(self, server: Server) -> Reply:
        """Return the token response of the requested grant."""
        form = self.form
        # First: a client repeats the request with a nonce, perhaps with the same assertion, which is accepted once.
        thumbprint = self.proof_thumbprint(server)
        client = self.authenticated_client(server, form)
        if thumbprint is None and client.dpop_bound_access_tokens:
            raise proof_rejected(ProofProblem.MISSING)
        grant = _grant_for(client, form.get("grant_type"))
        request = TokenRequest(
            state=self.state,
            server=server,
            issuer=self.issuer_of(server),
            client=client,
            form=form,
            now=self.now,
            requested_url=self.requested_url,
            key_thumbprint=thumbprint,
        )
        return json_reply(grant(request), headers={"X-Robots-Tag": "noindex,nofollow"})


def _grant_for(client: Client, grant_type: str | None) -> Callable[[TokenRequest], TokenResponse]:
    if not grant_type:
        raise OAuthError(ErrorCase.GRANT_MISSING)
    if grant_type in UNSUPPORTED_GRANTS:
        raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
    if grant_type not in GRANTS:
        raise OAuthError(ErrorCase.GRANT_UNKNOWN)
    if grant_type not in client.grant_types:
        raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
    return GRANTS[grant_type]
