"""The settings of the listening sockets."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_MODE = re.compile(r"0?[0-7]{3}", re.ASCII)
_SYSTEMD_NAME = re.compile(r"[!-9;-~]{1,255}", re.ASCII)


def _check_mode(mode: str) -> str:
    if not _MODE.fullmatch(mode):
        raise ValueError("expected the permissions in octal digits, such as 0660")
    return mode


def _check_systemd_name(name: str) -> str:
    if not _SYSTEMD_NAME.fullmatch(name):
        raise ValueError("expected the FileDescriptorName of a socket unit: ASCII characters without space and colon")
    return name


SystemdName = Annotated[str, AfterValidator(_check_systemd_name)]


class SocketSettings(BaseModel):
    """The part of the settings that concerns the listening sockets."""

    model_config = ConfigDict(defer_build=True)

    unix_socket_mode: Annotated[str, AfterValidator(_check_mode)] = "0660"
    """The permissions of a Unix socket in octal digits; connecting requires the permission to write."""
    systemd_socket: SystemdName = "service"
    """The ``FileDescriptorName`` of the socket unit whose sockets replace ``address`` and ``port``."""
    admin_systemd_socket: SystemdName = "admin"
    """The ``FileDescriptorName`` of the socket unit whose sockets replace ``admin_address`` and ``admin_port``."""

    @property
    def unix_socket_permissions(self) -> int:
        """The permissions of a Unix socket as a number."""
        return int(self.unix_socket_mode, 8)
