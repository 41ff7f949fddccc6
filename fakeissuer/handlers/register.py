"""Dynamic client registration (RFC 7591 section 3), which the org alone answers."""

from __future__ import annotations

from typing import Any

from fakeissuer.entries import Server
from fakeissuer.errors import Refused
from fakeissuer.handlers.client import NEVER_KEPT, ClientHandler
from fakeissuer.problems import Problem
from fakeissuer.registration import registered_client, registration_answer
from fakeissuer.reply import Reply, json_reply


class RegisterHandler(ClientHandler):
    """A client that registers itself: at Okta with an API token, in the strict profile without."""

    endpoint = "register"

    async def get(self, server: str | None = None) -> None:
        """Answer at the org, and nowhere else."""
        await self.handle(server or "org")

    head = post = put = delete = patch = options = get

    def answer(self, server: Server) -> Reply:  # noqa: ARG002 - there is only one
        """Register the client."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        is_known = scheme.lower() in ("ssws", "bearer") and bool(token.strip())
        if not is_known and not self.issuer.state.profile.is_strict:
            raise Refused(Problem.API_TOKEN_INVALID)
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(Problem.BODY_UNREADABLE)
        client = registered_client(self.request.body)
        self.issuer.state.directory.clients[client.id] = client
        answer: dict[str, Any] = registration_answer(client, int(self.issuer.clock.now()))
        return json_reply(answer, 201, NEVER_KEPT)
