"""The key set of a server (RFC 7517 section 5)."""

from __future__ import annotations

from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.model.servers import Server
from fakeissuer.responses.reply import Reply, json_reply


class KeysHandler(EndpointHandler):
    """Serve the published keys of a server."""

    endpoint = "keys"

    def respond(self, server: Server) -> Reply:
        """Return the key set; its ``max-age`` is the time to the next rotation, in seconds."""
        ring = self.state.key_rings.for_server(server)
        key_set = self.state.key_rings.key_set(server, self.urls_of(server).base_url)
        max_age_s = ring.max_age_s(self.now)
        return json_reply(key_set, headers={"Cache-Control": f"max-age={max_age_s}, must-revalidate"})
