"""Dynamic client registration (RFC 7591 section 3) and management, at the org server only."""

from __future__ import annotations

from typing import ClassVar

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.handlers.base.handler import JSON_MEDIA_TYPE, media_type
from fakeissuer.handlers.okta_api.api_token import check_api_token
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import ORG
from fakeissuer.model.servers import Server
from fakeissuer.oauth.registration import (
    registered_client,
    registration_response,
    registration_without_secret,
    with_new_secret,
)
from fakeissuer.responses.reply import Reply, json_reply

MAX_CLIENTS = 1000
"""The limit for registered clients: in the strict profile registration takes no token, and memory is finite."""


class RegisterHandler(ClientHandler):
    """Register a client: with an API token in Okta's profile, without one in the strict profile."""

    endpoint = "register"

    async def get(self, server: str | None = None, client_id: str = "") -> None:  # noqa: ARG002  # read from path_kwargs
        """Handle a request of any method; a path without a server id belongs to the org server."""
        await self.handle(server or ORG)

    post = put = delete = patch = options = get

    def respond(self, server: Server) -> Reply:  # noqa: ARG002  # clients belong to all servers
        """Register the client."""
        if not self.state.profile.is_strict:
            check_api_token(self.request)
        if len(self.state.registry.clients) >= MAX_CLIENTS:
            raise OAuthError(ErrorCase.CLIENTS_FULL)
        client = registered_client(self._metadata(), int(self.now))
        self._save(client)
        return json_reply(registration_response(client, int(self.now)), 201)

    def _save(self, client: Client) -> None:
        self.state.registry.clients[client.id] = client

    def _metadata(self) -> bytes:
        if media_type(self.request.headers) != JSON_MEDIA_TYPE:
            raise OAuthError(ErrorCase.METADATA_UNREADABLE)
        return self.request.body

    @property
    def _started_at(self) -> int:
        return int(self.state.started_at)


class RegisteredClientHandler(RegisterHandler):
    """Read, replace or remove a registered client, with an API token in every profile."""

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD", "PUT", "DELETE")

    def respond(self, server: Server) -> Reply:  # noqa: ARG002  # as above
        """Read, replace or remove the client."""
        client = self._registered_client()
        if self.request.method == "DELETE":
            del self.state.registry.clients[client.id]
            return Reply(204)
        if self.request.method == "PUT":
            client = registered_client(self._metadata(), int(self.now), client)
            self._save(client)
        return json_reply(registration_without_secret(client, self._started_at))

    def _registered_client(self) -> Client:
        check_api_token(self.request)
        name = self.path_kwargs["client_id"]
        client = self.state.registry.clients.get(name)
        if client is None:
            raise OAuthError(ErrorCase.NO_SUCH_CLIENT, name)
        return client


class NewSecretHandler(RegisteredClientHandler):
    """Replace the secret of a client."""

    methods: ClassVar[tuple[str, ...]] = ("POST",)

    def respond(self, server: Server) -> Reply:  # noqa: ARG002  # as above
        """Give the client a new secret; the old one stops working."""
        client = with_new_secret(self._registered_client())
        self._save(client)
        return json_reply(registration_response(client, self._started_at))
