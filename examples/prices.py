"""Stream prices over a WebSocket and as server-sent events; both end when the token expires."""

from __future__ import annotations

import asyncio
import json

import tornado.web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from service import BearerAuthMixin

PERIOD = 0.05
"""Seconds between two events."""


class PriceSocket(BearerAuthMixin, WebSocketHandler):
    """Responds to each message with a price; a message ``{"token": …}`` renews the token."""

    scopes = "api:read"

    async def on_message(self, message: str | bytes) -> None:
        """Send a price, or renew the token."""
        try:
            request = dict(json.loads(message))
        except (TypeError, ValueError):
            self.close(1007, "expected a JSON object")
            return
        if "token" in request:
            await self.reauthenticate(request["token"])
            await self.write_message({"until": self.principal.expires_at})
        else:
            await self.write_message({"for": self.principal.subject, "price": 3})


class PriceStream(BearerAuthMixin, tornado.web.RequestHandler):
    """Sends an event every ``PERIOD`` seconds, until the token expires or is revoked, or the client disconnects."""

    scopes = "api:read"

    async def get(self) -> None:
        """Send the events."""
        token = self.watch_token()
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        try:
            while not token.ended.is_set():
                self.write('data: {"price": 3}\n\n')
                await self.flush()
                await asyncio.sleep(PERIOD)
            self.write("event: token-ended\ndata: {}\n\n")
        except StreamClosedError:
            return


ROUTES = [(r"/prices/socket", PriceSocket), (r"/prices/events", PriceStream)]
