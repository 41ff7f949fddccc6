"""The logout endpoint (OpenID Connect RP-Initiated Logout 1.0 section 2)."""

from __future__ import annotations

from urllib.parse import urlencode

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.handlers.pages.base import BrowserMixin
from fakeissuer.model.clients import Client
from fakeissuer.model.redirect_uris import is_registered
from fakeissuer.model.servers import Server
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply


class LogoutHandler(BrowserMixin, EndpointHandler):
    """Sign a user out for a client that sends the user's ID token."""

    endpoint = "logout"

    def respond(self, server: Server) -> Reply:
        """End the session of the browser and redirect to the client, if it named a URI."""
        parameters = self.form if self.request.method == "POST" else self.query
        client, login = self._client_and_login(server, parameters.get("id_token_hint", ""))
        uri = parameters.get("post_logout_redirect_uri")
        if uri is not None and not is_registered(uri, client.post_logout_redirect_uris):
            raise OAuthError(ErrorCase.LOGOUT_REDIRECT)
        session = self.session()
        if session.login == login:  # the ID token of another user ends no session
            session.sign_out()
        if uri is None:
            reply = page("message", heading="You are signed out", sentence="You may close this page.", code="")
        else:
            state = parameters.get("state")
            query = "" if state is None else ("&" if "?" in uri else "?") + urlencode({"state": state})
            reply = Reply(302, headers={"Location": f"{uri}{query}", "Cache-Control": "no-cache, no-store"})
        return self.with_session(session, reply)

    def endpoint_error(self, server: Server, error: OAuthError) -> Reply:  # noqa: ARG002  # the page is the same at every server
        """Return an error page; a rejected request is never redirected."""
        return self.error_page(error)

    def _client_and_login(self, server: Server, hint: str) -> tuple[Client, str | None]:
        # An expired ID token is accepted. The store finds only tokens that this issuer issued, so no signature check is
        # needed against forged hints.
        issued = self.state.store.find(hint)
        if issued is None or issued.kind != "id" or issued.server != server.id:
            raise OAuthError(ErrorCase.LOGOUT_HINT)
        client = self.state.registry.clients.get(issued.client_id)
        if client is None:
            raise OAuthError(ErrorCase.LOGOUT_HINT)
        return client, issued.username
