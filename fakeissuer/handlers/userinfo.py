"""The UserInfo endpoint (OpenID Connect Core 1.0 section 5.3), itself a protected resource (RFC 6750 section 3)."""

from __future__ import annotations

from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.endpoint import EndpointHandler
from fakeissuer.handlers.parameters import form_arguments
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply, json_reply
from fakeissuer.tokens import profile_claims


class UserInfoHandler(EndpointHandler):
    """What is known about the user of an access token."""

    endpoint = "userinfo"
    is_limited = True

    def answer(self, server: Server) -> Reply:
        """Return the user's claims, as far as the token's scopes go."""
        issued = self.issuer.state.store.find(self._access_token())
        if issued is None or issued.kind != "access" or issued.server != server.id:
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if not issued.is_active(self.issuer.clock.now()):
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if "openid" not in issued.scopes or issued.username is None:
            raise Refused(Problem.USERINFO_SCOPE)
        user = self.issuer.state.directory.user(issued.username)
        return json_reply(profile_claims(user, issued.scopes))

    def refuse(self, server: Server, refused: Refused) -> Reply:
        """Return the refusal, a challenge that names the resource as Okta's does."""
        addresses = self.issuer.state.addresses
        challenge = {
            "authorization_uri": f"{addresses.endpoints(server, self.requested_url)}/authorize",
            "realm": addresses.base_url(server, self.requested_url),
            "scope": "openid",
            "error": refused.problem.value.code,
            "error_description": str(refused),
            "resource": self.request.path,
        }
        if self.issuer.state.profile.is_strict and refused.problem is Problem.USERINFO_TOKEN_MISSING:
            # RFC 6750 section 3.1: whoever brought no token has made no error yet.
            del challenge["error"], challenge["error_description"]
        return self.refusal(refused, "Bearer " + ", ".join(f'{name}="{text}"' for name, text in challenge.items()))

    def _access_token(self) -> str:
        if "access_token" in self.request.query_arguments:
            raise Refused(Problem.USERINFO_TOKEN_IN_QUERY)
        if "access_token" in (form_arguments(self.request) or {}):
            raise Refused(Problem.USERINFO_TWO_TOKENS)
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(Problem.USERINFO_TOKEN_MISSING)
        return token.strip()
