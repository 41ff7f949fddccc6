"""The UserInfo endpoint (OpenID Connect Core 1.0 section 5.3), itself a protected resource (RFC 6750 section 3)."""

from __future__ import annotations

from typing import Any

from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.base import FORM, EndpointHandler
from fakeissuer.problems import Problem
from fakeissuer.reply import Reply, json_reply, refusal
from fakeissuer.store import IssuedToken


class UserInfoHandler(EndpointHandler):
    """What is known about the user of an access token."""

    endpoint = "userinfo"

    def answer(self, server: Server) -> Reply:
        """Return the user's claims, as far as the token's scopes go."""
        issued = self.issuer.state.store.find(self._access_token())
        if issued is None or issued.kind != "access" or issued.server != server.id:
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if not issued.is_active(self.issuer.clock.now()):
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        if "openid" not in issued.scopes or issued.username is None:
            raise Refused(Problem.USERINFO_SCOPE)
        return json_reply(self._claims(issued, issued.username))

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
        is_form = self.request.headers.get("Content-Type", "").partition(";")[0] == FORM
        if is_form and "access_token" in self.request.body_arguments:
            raise Refused(Problem.USERINFO_TWO_TOKENS)
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(Problem.USERINFO_TOKEN_INVALID)
        return token.strip()

    def _claims(self, issued: IssuedToken, username: str) -> dict[str, Any]:
        user = self.issuer.state.directory.user(username)
        claims: dict[str, Any] = {"sub": user.id}
        if "profile" in issued.scopes:
            claims |= {"name": user.name, "locale": user.locale}
        if "email" in issued.scopes:
            claims["email"] = user.email
        if "profile" in issued.scopes:
            claims |= {
                "preferred_username": user.login,
                "given_name": user.given_name,
                "family_name": user.family_name,
                "zoneinfo": user.zoneinfo,
                "updated_at": user.updated_at,
            }
        if "email" in issued.scopes:
            claims["email_verified"] = user.email_verified
        if "groups" in issued.scopes:
            claims["groups"] = list(user.groups)
        return claims
