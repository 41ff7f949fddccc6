"""The settings of the server: where it listens, its processes, the admin port and TLS."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from service.settings.profiles.texts import Texts
from service.settings.types import Address, Networks, Port
from service.urls import is_loopback

_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


def _check_host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a host name; write it as in URLs, without scheme and port")
    return names


class ServerSettings(BaseModel):
    """The part of the settings that concerns the server and not the validation of tokens."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)

    address: Address = "127.0.0.1"
    """The address to listen on."""
    port: Port = 8080
    """The port to listen on; 0 for any free port."""
    trusted_proxies: Networks = ()
    """The addresses and networks of proxies whose ``Forwarded`` and ``X-Forwarded-*`` headers are read.

    ``unix`` stands for those that connect through a Unix socket.
    """
    processes: Annotated[int, Field(ge=0, le=256)] = 1
    """The number of worker processes; 0 for one per core."""
    admin_port: Port | None = None
    """The port for the deny list and the metrics; none if not set, 0 for any free port."""
    admin_address: Address = "127.0.0.1"
    """The address of the admin port; it serves TLS with ``certfile`` unless the address is a loopback one."""
    admin_hosts: Annotated[Texts, AfterValidator(_check_host_names)] = ()
    """The host names of the admin port in URLs; loopback names and ``admin_address`` are always accepted."""
    admin_token: SecretStr | None = None
    """The bearer token that requests to the deny list must send; if not set, they are all rejected."""
    admin_token_file: str | None = None
    """A file that holds ``admin_token``."""
    certfile: str | None = None
    """The TLS certificate in PEM; requires ``keyfile``."""
    keyfile: str | None = None
    """The private key of the TLS certificate; requires ``certfile``."""

    @property
    def admin_has_tls(self) -> bool:
        """Whether the admin port serves TLS."""
        return self.certfile is not None and not is_loopback(self.admin_address)

    @property
    def admin_secret(self) -> str | None:
        """The token for the deny list on the admin port; None if the deny list is disabled."""
        return self.admin_token.get_secret_value() if self.admin_token else None
