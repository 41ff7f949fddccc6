"""The authorization endpoint (RFC 6749 section 3.1)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.handlers.pages.base import BrowserMixin
from fakeissuer.model.servers import Server
from fakeissuer.oauth.authorization.flow import begin
from fakeissuer.oauth.authorization.request import pushed_parameters, read_request, read_target
from fakeissuer.oauth.authorization.request_object import with_request_object
from fakeissuer.oauth.authorization.response import error_response
from fakeissuer.responses.reply import Reply


class AuthorizeHandler(BrowserMixin, EndpointHandler):
    """Check an authorization request and start the sign-in."""

    endpoint = "authorize"
    is_limited = True

    def respond(self, server: Server) -> Reply:
        """Return a redirect to the next page, or the authorization response to the client."""
        state = self.state
        issuer = self.issuer_of(server)
        requested = self.form if self.request.method == "POST" else self.query
        parameters = pushed_parameters(state, server, requested)
        parameters = with_request_object(state, issuer, parameters)
        target = read_target(state, issuer, parameters)
        try:
            request = read_request(state, server, target, parameters)
        except OAuthError as error:
            state.pushed.delete(parameters.get("request_uri", ""))
            return error_response(state, target, error)
        session = self.session()
        return self.with_session(session, begin(state, session, request))

    def endpoint_error(self, server: Server, error: OAuthError) -> Reply:  # noqa: ARG002  # the page is the same at every server
        """Return an error page; without a trusted redirect URI nothing is sent to the client."""
        return self.error_page(error)
