"""The UserInfo endpoint (OpenID Connect Core 1.0 section 5.3), itself a protected resource (RFC 6750 section 3)."""

from __future__ import annotations

from fakeissuer.claim_templates import custom_claims
from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.endpoint import EndpointHandler
from fakeissuer.handlers.parameters import FORM
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply, json_reply, refusal
from fakeissuer.tokens import profile_claims


class UserInfoHandler(EndpointHandler):
    """What is known about the user of an access token."""

    endpoint = "userinfo"

    def answer(self, server: Server) -> Reply:
        """Return the user's claims, as far as the token's scopes go."""
        state = self.issuer.state
        issued = state.store.find(self._access_token())
        if issued is None or issued.kind != "access" or issued.server != server.id:
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if not issued.is_active(self.issuer.clock.now()):
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if "openid" not in issued.scopes or issued.username is None:
            raise Refused(Problem.USERINFO_SCOPE)
        user, client = state.directory.user(issued.username), state.directory.clients.get(issued.client_id)
        custom = custom_claims(server, client, user, issued.scopes, "id_token_claims")
        return json_reply(profile_claims(user, issued.scopes) | custom)

    def refuse(self, refused: Refused) -> Reply:
        """Return the refusal, a challenge that names the resource as Okta's does."""
        base_url = self.issuer.state.addresses.public_url
        resource = self.request.path
        authorization_uri = f"{base_url}{resource.removesuffix('userinfo')}authorize"
        challenge = (
            f'Bearer authorization_uri="{authorization_uri}", realm="{base_url}", scope="openid", '
            f'error="{refused.problem.value.code}", error_description="{refused}", resource="{resource}"'
        )
        return refusal(refused, challenge)

    def _access_token(self) -> str:
        if "access_token" in self.request.query_arguments:
            raise Refused(Problem.USERINFO_TOKEN_IN_QUERY)
        authorization = self.request.headers.get("Authorization", "")
        is_form = self.request.headers.get("Content-Type", "").partition(";")[0] == FORM
        posted = self.request.body_arguments.get("access_token", []) if is_form else []
        if len(posted) > 1 or (posted and authorization):
            raise Refused(Problem.USERINFO_TWO_TOKENS)
        if posted and self.request.method == "POST":  # the body of a GET means nothing (RFC 6750 section 2.2)
            return posted[0].decode("utf-8", "replace")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        return token.strip()
