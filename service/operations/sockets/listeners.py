"""The sockets of the API and of the admin port, from the settings or from systemd."""

from __future__ import annotations

from dataclasses import dataclass

from service.operations.sockets.activation import take_sockets
from service.operations.sockets.bound import BoundSockets, adopt, bind, is_local
from service.settings.program import Settings
from service.settings.types import unix_path
from service.urls import is_loopback


@dataclass(frozen=True, kw_only=True, slots=True)
class Listeners:
    """The sockets of the API, and of the admin port if it is on."""

    public: BoundSockets
    admin: BoundSockets | None = None

    @classmethod
    def open(cls, settings: Settings) -> Listeners:
        """Return the sockets that systemd has handed over, and bind those that it has not.

        Raises:
            SettingsError: A socket of systemd cannot be used, or that of the API is missing.
            OSError: An address cannot be bound; ``strerror`` names it.
        """
        names = [settings.systemd_socket]
        if settings.has_admin_port:
            names.append(settings.admin_systemd_socket)
        handed_over = take_sockets(names)
        has_tls = settings.certfile is not None
        if sockets := handed_over.get(settings.systemd_socket):
            public = adopt(sockets, tls=has_tls)
        else:
            public = _bind(settings, settings.address, settings.port, tls=has_tls)
        if not settings.has_admin_port:
            return cls(public=public)
        try:
            if sockets := handed_over.get(settings.admin_systemd_socket):
                return cls(public=public, admin=adopt(sockets, tls=has_tls and not is_local(sockets)))
            address = settings.admin_address
            tls = has_tls and not is_loopback(address) and unix_path(address) is None
            return cls(public=public, admin=_bind(settings, address, settings.admin_port or 0, tls=tls))
        except OSError:
            public.close()
            raise

    def close(self) -> None:
        """Close the sockets in this process; the process that has bound a Unix socket removes its file."""
        self.public.close()
        if self.admin is not None:
            self.admin.close()


def _bind(settings: Settings, address: str, port: int, *, tls: bool) -> BoundSockets:
    return bind(address, port, tls=tls, backlog=settings.backlog, unix_mode=settings.unix_socket_permissions)
