"""The UserInfo endpoint (OpenID Connect Core 1.0 section 5.3), itself a protected resource (RFC 6750 section 3)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.handlers.base.handler import form_arguments
from fakeissuer.model.claim_templates import custom_claims
from fakeissuer.model.claims import userinfo_claims
from fakeissuer.model.servers import Server
from fakeissuer.oauth.client_certificates import bound_certificate, certificate_thumbprint
from fakeissuer.oauth.dpop import PROOF_ALGORITHMS, ProofContext, ProofProblem, bound_key, check_proof
from fakeissuer.oauth.issue import check_groups
from fakeissuer.responses.reply import Reply, json_reply
from fakeissuer.state.token_store import IssuedToken


class UserInfoHandler(EndpointHandler):
    """Serve the claims of the user that an access token was issued for."""

    endpoint = "userinfo"
    is_limited = True

    def respond(self, server: Server) -> Reply:
        """Return the user's claims that the token's scopes cover."""
        state = self.state
        token = self._access_token()
        issued = state.store.find(token)
        if issued is None or issued.kind != "access" or issued.server != server.id:
            raise OAuthError(ErrorCase.USERINFO_TOKEN_INVALID)
        if not issued.is_active(self.now):
            raise OAuthError(ErrorCase.USERINFO_TOKEN_INVALID)
        if "openid" not in issued.scopes or issued.username is None:
            raise OAuthError(ErrorCase.USERINFO_SCOPE)
        self._check_binding(server, issued, token)
        user, client = state.registry.user(issued.username), state.registry.clients.get(issued.client_id)
        custom = custom_claims(server, client, user, issued.scopes, "id_token_claims")
        claims = userinfo_claims(server, user, issued.scopes, custom) | {"sub": state.profile.subject(user)}
        check_groups(claims)
        return json_reply(claims)

    def endpoint_error(self, server: Server, error: OAuthError) -> Reply:
        """Return the error response, with a challenge that names the resource, as Okta does, if the token is wrong."""
        if error.case is ErrorCase.TOO_MANY_GROUPS:
            return self.error_reply(error)
        urls = self.urls_of(server)
        challenge = {
            "authorization_uri": urls.endpoints["authorize"],
            "realm": urls.base_url,
            "scope": "openid",
            "error": error.case.value.code,
            "error_description": str(error),
            "resource": self.request.path,
        }
        if self.state.profile.is_strict and error.case is ErrorCase.USERINFO_TOKEN_MISSING:
            # RFC 6750 section 3.1: no error code if the request has no token.
            del challenge["error"], challenge["error_description"]
        scheme = "Bearer"
        if self._is_dpop:
            scheme, challenge["algs"] = "DPoP", " ".join(PROOF_ALGORITHMS)
        return self.error_reply(
            error, f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in challenge.items())
        )

    @property
    def _is_dpop(self) -> bool:
        """Whether the request has a token with the scheme ``DPoP``."""
        return self.request.headers.get("Authorization", "")[:5].lower() == "dpop "

    def _access_token(self) -> str:
        if "access_token" in self.request.query_arguments:
            raise OAuthError(ErrorCase.USERINFO_TOKEN_IN_QUERY)
        authorization = self.request.headers.get("Authorization", "")
        posted = (form_arguments(self.request) or {}).get("access_token", [])
        if len(posted) > 1 or (posted and authorization):
            raise OAuthError(ErrorCase.USERINFO_TWO_TOKENS)
        if posted and self.request.method == "POST":  # RFC 6750 section 2.2: never in the body of a GET
            return posted[0].decode("utf-8", "replace")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in {"bearer", "dpop"}:
            raise OAuthError(ErrorCase.USERINFO_TOKEN_MISSING)
        return token.strip()

    def _check_binding(self, server: Server, issued: IssuedToken, token: str) -> None:
        """Check that a bound token came with a proof of its key (RFC 9449 section 7.1, RFC 8705 section 3)."""
        if (thumbprint := bound_certificate(issued.claims)) is not None:
            certificate = self.client_certificate
            if certificate is None or certificate_thumbprint(certificate) != thumbprint:
                raise OAuthError(ErrorCase.USERINFO_CERTIFICATE)
        bound_to = bound_key(issued.claims)
        if bound_to is None and not self._is_dpop:
            return
        if bound_to is None:
            raise OAuthError(ErrorCase.USERINFO_TOKEN_INVALID)
        if not self._is_dpop:
            raise OAuthError(ErrorCase.USERINFO_BOUND_TOKEN)
        context = ProofContext(
            method=self.request.method or "",
            url=self.endpoint_url(server),
            now=self.now,
            used=self.state.used_jtis,
            access_token=token,
        )
        try:
            thumbprint = check_proof(self.request.headers.get_list("DPoP"), context)
        except OAuthError as error:
            raise OAuthError(ErrorCase.USERINFO_PROOF, error.detail) from error
        if thumbprint != bound_to:
            raise OAuthError(ErrorCase.USERINFO_PROOF, ProofProblem.OTHER_KEY)
