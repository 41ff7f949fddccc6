"""The limits of what one client can use."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_Bytes = Annotated[int, Field(ge=256, le=2**31 - 1)]
_Timeout = Annotated[float, Field(gt=0, le=24 * 3600)]


class LimitSettings(BaseModel):
    """The part of the settings that bounds what one client can use; sizes are in bytes, times in seconds."""

    model_config = ConfigDict(defer_build=True)

    max_header_size: _Bytes = 32 * 1024
    """The longest request line together with its header fields, in bytes; a token may have 16 KiB."""
    max_body_size: Annotated[int, Field(ge=0)] = 1024 * 1024
    """The longest request body, in bytes; a handler that streams its body can change it for a request."""
    handshake_timeout: _Timeout = 10.0
    """How long a client may take for the TLS handshake."""
    header_timeout: _Timeout = 10.0
    """How long a client may take to send the header of a request."""
    body_timeout: _Timeout = 10.0
    """How long a client may take to send the body of a request."""
    keep_alive_timeout: _Timeout = 75.0
    """How long a connection stays open between two requests; longer than that of a load balancer in front."""
    write_timeout: _Timeout = 10.0
    """How long a client may read nothing of a response that waits for it, before its connection is closed."""
    max_connections: Annotated[int, Field(ge=1)] | None = None
    """The number of client connections of one process; if not set, it follows the limit of file descriptors."""
    health_check_connections: Annotated[int, Field(ge=1, le=1000)] = 8
    """The connections beyond ``max_connections`` on which only ``/healthz`` and ``/readyz`` are served."""
    admin_max_connections: Annotated[int, Field(ge=1, le=1000)] = 8
    """The number of connections of the admin port, beyond ``max_connections``; for health checks, there are more."""
    backlog: Annotated[int, Field(ge=1, le=65535)] = 2048
    """The connections that wait to be accepted; the system has a limit of its own, ``net.core.somaxconn`` on Linux."""
    websocket_max_message_size: _Bytes = 1024 * 1024
    """The longest WebSocket message, in bytes."""
    websocket_ping_interval: _Timeout = 30.0
    """How often a WebSocket client is pinged; its connection is closed if it does not respond before the next ping."""

    @property
    def websocket_settings(self) -> dict[str, Any]:
        """The limits of WebSockets, as settings of a Tornado application."""
        return {
            "websocket_max_message_size": self.websocket_max_message_size,
            "websocket_ping_interval": self.websocket_ping_interval,
            "websocket_ping_timeout": self.websocket_ping_interval,
        }

    def of_admin_port(self) -> LimitSettings:
        """Return the limits of the admin port, which are these but for the number of connections."""
        values = {name: getattr(self, name) for name in LimitSettings.model_fields}
        return LimitSettings(**values | {"max_connections": self.admin_max_connections})
