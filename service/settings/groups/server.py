"""The settings of the server: where it listens, and TLS."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.settings.types import Address, Networks, Port


class ServerSettings(BaseModel):
    """The part of the settings that concerns the server and not the validation of tokens."""

    model_config = ConfigDict(defer_build=True)

    address: Address = "127.0.0.1"
    """The address to listen on, or ``unix:`` with the path of a Unix socket."""
    port: Port = 8080
    """The port to listen on; 0 for any free port, and unused for a Unix socket."""
    trusted_proxies: Networks = ()
    """The addresses and networks of proxies whose ``Forwarded`` and ``X-Forwarded-*`` headers are read.

    ``unix`` stands for those that connect through a Unix socket.
    """
    certfile: str | None = None
    """The TLS certificate in PEM; requires ``keyfile``."""
    keyfile: str | None = None
    """The private key of the TLS certificate; requires ``certfile``."""
