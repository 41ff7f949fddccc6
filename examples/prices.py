"""Prices that move: by WebSocket to whoever subscribes, and as server-sent events; both end with the token."""

from __future__ import annotations

import asyncio
import json

import tornado.web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from service import BearerAuthMixin

__all__ = ["ROUTES", "PriceSocket", "PriceStream"]

PERIOD = 0.05
"""Seconds between two events."""


class PriceSocket(BearerAuthMixin, WebSocketHandler):
    """IntrospectionCache each question after a price; a message ``{"token": …}`` renews the token."""

    scopes = "api:read"

    async def on_message(self, message: str | bytes) -> None:
        """Answer one question, as long as the token lasts."""
        try:
            question = dict(json.loads(message))
        except (TypeError, ValueError):
            self.close(1007, "expected a JSON object")
            return
        if "token" in question:
            await self.reauthenticate(question["token"])
            await self.write_message({"until": self.principal.expires_at})
        else:
            await self.write_message({"for": self.principal.subject, "price": 3})


class PriceStream(BearerAuthMixin, tornado.web.RequestHandler):
    """Sends an event now and then, until the token ends or the client has enough."""

    scopes = "api:read"

    async def get(self) -> None:
        """Answer with a stream of events."""
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
