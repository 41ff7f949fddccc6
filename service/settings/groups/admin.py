"""The settings of the admin port."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from service.settings.profiles.texts import Texts
from service.settings.types import Address, Port

_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


def _check_host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a host name; write it as in URLs, without scheme and port")
    return names


class AdminSettings(BaseModel):
    """The part of the settings that concerns the admin port."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)

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

    @property
    def admin_secret(self) -> str | None:
        """The token for the deny list on the admin port; None if the deny list is disabled."""
        return self.admin_token.get_secret_value() if self.admin_token else None
