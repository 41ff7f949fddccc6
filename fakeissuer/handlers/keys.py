"""The key set (RFC 7517 section 5), to be kept until the next rotation and no longer."""

from __future__ import annotations

from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply, json_reply


class KeysHandler(EndpointHandler):
    """The published keys of a server."""

    endpoint = "keys"

    def respond(self, server: Server) -> Reply:
        """Return the key set, with the seconds left until the rotation as its age."""
        ring = self.state.key_rings.for_server(server)
        max_age_s = ring.max_age_s(self.now)
        return json_reply(ring.key_set(), headers={"Cache-Control": f"max-age={max_age_s}, must-revalidate"})
