"""The discovery documents of a server (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)."""

from __future__ import annotations

from typing import ClassVar

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.model.servers import Server
from fakeissuer.oauth.metadata import (
    RFC9068_CLAIMS,
    Metadata,
    authorization_server_metadata,
    openid_configuration,
    with_mutual_tls,
)
from fakeissuer.responses.reply import Reply, json_reply


class DiscoveryHandler(EndpointHandler):
    """Serve the OpenID Connect discovery document."""

    endpoint = "discovery"
    strict_members: ClassVar[Metadata] = {"authorization_response_iss_parameter_supported": True}
    """Members that the strict profile adds or replaces (RFC 9207 section 3)."""

    def respond(self, server: Server) -> Reply:
        """Return the document; a ``client_id`` in the query must be registered."""
        client_id = self.query.get("client_id")
        if client_id is not None and client_id not in self.state.registry.clients:
            raise OAuthError(ErrorCase.UNKNOWN_CLIENT_400)
        document = self._profile_document(server)
        return json_reply(with_mutual_tls(document) if self.state.requests_certificates else document)

    def document(self, server: Server) -> Metadata:
        """Return the document's members in Okta's profile."""
        return openid_configuration(server, self.urls_of(server))

    def _profile_document(self, server: Server) -> Metadata:
        profile = self.state.profile
        if profile.metadata is not None:
            return profile.metadata(self.urls_of(server), self.request.path)
        document = self.document(server)
        return document | self.strict_members if profile.is_strict else document


class AuthorizationServerMetadataHandler(DiscoveryHandler):
    """Serve the authorization server metadata, at both of its paths."""

    strict_members: ClassVar[Metadata] = {**DiscoveryHandler.strict_members, "claims_supported": RFC9068_CLAIMS}

    def document(self, server: Server) -> Metadata:
        """Return the document's members in Okta's profile."""
        return authorization_server_metadata(server, self.urls_of(server))
