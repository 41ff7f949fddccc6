"""A listening fake issuer, from its options to its shutdown."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path

from tornado.httpserver import HTTPServer

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.handlers import CALL_PATHS
from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.errors import SettingsError
from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import IssuerURLs, check_public_url, is_loopback
from fakeissuer.profiles.names import PROFILE_NAMES, ProfileName, profile_named
from fakeissuer.server.config_file import Config, configure, read_config
from fakeissuer.server.environment import CONTROL_TOKEN_VARIABLE
from fakeissuer.server.routes import make_app
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.seed import seed
from fakeissuer.state.state import IssuerState

_MAX_BODY_BYTES = 1_048_576
_HEADER_TIMEOUT_S = 60
_BODY_TIMEOUT_S = 10
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_BACKLOG = 1024
_ADVICE = {
    errno.EADDRINUSE: "stop the program that listens there, or choose another port; 0 is any free one",
    errno.EACCES: "a port below 1024 needs a privilege; choose another one",
}


@dataclass(frozen=True, kw_only=True)
class ServingOptions:
    """The options of the program; port 0 chooses a free port."""

    address: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    keys_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    client_ca: Path | None = None
    config_file: Path | None = None
    profile: ProfileName = "okta"
    auto_login: str | None = None
    control_token: str | None = field(default=None, repr=False)
    insecure_any_address: bool = False

    def __post_init__(self) -> None:
        """Convert paths and check the options.

        Raises:
            SettingsError: an option is invalid, or the address is exposed without protection.
        """
        for name in ("keys_file", "ca_file", "client_ca", "config_file"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path))  # callers may pass strings
        if not 0 <= self.port <= 65_535:
            raise SettingsError([f"--port: {self.port} is not a port; expected 0 to 65535"])
        if not (self.address.isascii() and self.address.isprintable()):
            raise SettingsError([f"--address: {self.address!r} is not an address; expected something like 127.0.0.1"])
        if self.public_url is not None:
            check_public_url(self.public_url)
        if self.profile not in PROFILE_NAMES:
            expected = f"expected one of {', '.join(PROFILE_NAMES)}"
            raise SettingsError([f"--profile: {self.profile!r} is unknown; {expected}"])
        if self.ca_file is not None and not self.tls:
            raise SettingsError(["--ca-file: there is no certificate without --tls; add --tls"])
        if self.client_ca is not None and not self.tls:
            raise SettingsError(["--client-ca: clients show certificates to a server with TLS only; add --tls"])
        if not (is_loopback(self.address) or self.control_token or self.insecure_any_address):
            expected = f"expected a loopback address, or {CONTROL_TOKEN_VARIABLE} to be set, or --insecure-any-address"
            raise SettingsError([f"--address: other machines can reach {self.address!r} and get tokens; {expected}"])


class ServingIssuer:
    """A fake issuer that serves requests on the running event loop from ``start`` to ``stop``.

    The constructor binds the socket, so that the issuer's URL is known before the first request.

    Raises:
        SettingsError: the address is not available, or a file cannot be used.
    """

    def __init__(self, options: ServingOptions) -> None:
        profile = profile_named(options.profile)
        pool = KeyPool(options.keys_file, profile.complete_key)
        config = Config() if options.config_file is None else read_config(options.config_file)
        self._socket = _bind(options)
        try:
            addresses = _issuer_urls(options, profile.layout, self._socket.getsockname()[1])
            registry = seed(addresses.public_url, profile)
            configure(registry, config)
            tls_context = _tls_context(options, addresses)
        except BaseException:
            self._socket.close()
            raise
        self.url = addresses.listening_url
        profile = replace(profile, variants=config.variants)
        state = IssuerState(
            addresses,
            pool,
            profile,
            registry,
            options.auto_login,
            requests_certificates=options.client_ca is not None,
        )
        self.control = IssuerControl(state, CALL_PATHS)
        self._fault_injector = FaultInjector()
        guard = ControlGuard(allowed_hosts=addresses.hosts, token=options.control_token)
        self._server = HTTPServer(
            make_app(self.control, self._fault_injector, guard),
            ssl_options=tls_context,
            max_body_size=_MAX_BODY_BYTES,
            max_buffer_size=2 * _MAX_BODY_BYTES,
            idle_connection_timeout=_HEADER_TIMEOUT_S,
            body_timeout=_BODY_TIMEOUT_S,
        )

    def start(self) -> None:
        """Start to accept connections."""
        self._server.add_socket(self._socket)

    async def stop(self) -> None:
        """Stop accepting connections, and close all open ones, including those that a fault delays."""
        self._server.stop()
        self._socket.close()  # the server closes it only if it was started
        await self._fault_injector.stop()
        await self._server.close_all_connections()


def _issuer_urls(options: ServingOptions, layout: Layout, port: int) -> IssuerURLs:
    host = _WILDCARDS.get(options.address, options.address)
    host = f"[{host}]" if ":" in host else host
    listening_url = f"{'https' if options.tls else 'http'}://{host}:{port}"
    public_url = options.public_url or listening_url
    return IssuerURLs(listening_url=listening_url, public_url=public_url, layout=layout)


def _tls_context(options: ServingOptions, addresses: IssuerURLs) -> ssl.SSLContext | None:
    if not options.tls:
        return None
    from fakeissuer.server.tls import server_context  # noqa: PLC0415  # slow to import

    try:
        context = server_context(tuple(sorted(addresses.hosts | _LOOPBACK_NAMES)), options.ca_file)
    except OSError as exc:
        raise SettingsError([f"--ca-file: {options.ca_file} cannot be written: {exc.strerror}"]) from exc
    if options.client_ca is not None:
        try:
            context.load_verify_locations(cafile=options.client_ca)
        except OSError as exc:  # includes SSLError, for a file without a certificate
            expected = "expected a file with the certificates of CAs, or of clients that signed their own"
            raise SettingsError(
                [f"--client-ca: {options.client_ca} cannot be used: {exc.strerror or exc}; {expected}"]
            ) from exc
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _bind(options: ServingOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    try:
        listener = socket.create_server((options.address, options.port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        address = f"{options.address}:{options.port}"
        reason = exc.strerror or str(exc)
        if exc.errno is not None and exc.errno > 0:
            reason = os.strerror(exc.errno)  # Python has added the address
        advice = _ADVICE.get(exc.errno or 0, "is the --address one of this machine?")
        raise SettingsError([f"--address, --port: {address} cannot be listened on: {reason}; {advice}"]) from exc
    listener.setblocking(False)  # noqa: FBT003  # the socket's own signature
    return listener
