"""Logs that a WebSocket client exceeds a limit; Tornado closes the connection without a line."""

from __future__ import annotations

from typing import Any

from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from service.web.connections.limit_log import LimitLog

_MESSAGE_TOO_BIG = 1009
_PING_TIMED_OUT = "ping timed out"
"""The reason with which Tornado closes a connection whose client does not respond."""
_log = LimitLog()


class _LoggingProtocol(WebSocketProtocol13):
    """Tornado's protocol, which calls ``close`` itself if a limit is exceeded."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        remote_ip = self.handler.request.remote_ip  # type: ignore[attr-defined]  # the server's handler has it
        if code == _MESSAGE_TOO_BIG:
            _log.report("WebSocket message over a limit", limit="websocket_max_message_size", remote_ip=remote_ip)
        elif reason == _PING_TIMED_OUT:
            _log.report("WebSocket client does not respond", limit="websocket_ping_interval", remote_ip=remote_ip)
        super().close(code, reason)


def get_websocket_protocol(handler: Any) -> WebSocketProtocol13 | None:
    """Return the protocol of a connection, or None if Tornado does not support its version."""
    protocol = WebSocketHandler.get_websocket_protocol(handler)
    if not isinstance(protocol, WebSocketProtocol13):
        return None
    return _LoggingProtocol(handler, mask_outgoing=False, params=protocol.params)
