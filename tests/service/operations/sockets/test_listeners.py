from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.operations.sockets import activation
from service.operations.sockets.bound import adopt
from service.operations.sockets.listeners import Listeners
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


def _settings(**values: object) -> Settings:
    return Settings(issuer=OKTA, **{"port": 0, **values})  # type: ignore[arg-type]  # of several types


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    return {"certfile": "server.pem", "keyfile": "server.key"}


@pytest.fixture
def tcp(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket that the service manager hands over for the admin port, between two for the API."""
    first = 200
    kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    for number, each in enumerate(kept, start=first):
        os.dup2(each.fileno(), number)
    monkeypatch.setattr(activation, "FIRST_DESCRIPTOR", first)
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "3")
    monkeypatch.setenv("LISTEN_FDNAMES", "service:admin:service")
    yield kept[1]
    for each in kept:
        each.close()


def test_the_admin_port_is_off_by_default() -> None:
    listeners = Listeners.open(_settings())
    assert (None, True) == (listeners.admin, listeners.public.is_local)
    listeners.close()
    assert -1 == listeners.public.sockets[0].fileno()


@pytest.mark.parametrize(
    ("values", "tls", "is_local"),
    [
        ({"admin_port": 0}, False, True),
        ({"admin_port": 0, "admin_address": "localhost"}, False, True),
        ({"admin_port": 0, "admin_address": "0.0.0.0"}, True, False),
        ({"admin_address": "unix:{folder}/admin.sock"}, False, True),
    ],
)
def test_the_admin_port_serves_tls_unless_it_is_local(
    values: dict[str, object],
    tls: bool,  # noqa: FBT001  # a row of the table
    is_local: bool,  # noqa: FBT001  # as above
    certificate: dict[str, str],
    short_path: Path,
) -> None:
    values = {name: str(value).format(folder=short_path) for name, value in values.items()}
    listeners = Listeners.open(_settings(**values, **certificate))
    assert listeners.admin is not None
    assert (True, tls, is_local) == (listeners.public.tls, listeners.admin.tls, listeners.admin.is_local)
    listeners.close()
    assert not list(short_path.iterdir())


def test_the_sockets_of_the_service_manager_replace_the_addresses(
    tcp: socket.socket, certificate: dict[str, str], short_path: Path
) -> None:
    unused = f"unix:{short_path}/api.sock"
    listeners = Listeners.open(_settings(address=unused, admin_port=1, **certificate))
    assert listeners.admin is not None
    assert f"http://127.0.0.1:{tcp.getsockname()[1]}" == listeners.admin.url
    assert (2, True) == (len(listeners.public.urls), listeners.public.url.startswith("https://127.0.0.1:"))
    assert not list(short_path.iterdir())
    listeners.close()


def test_a_failure_of_the_admin_port_leaves_no_socket(short_path: Path) -> None:
    settings = _settings(address=f"unix:{short_path}/api.sock", admin_address=f"unix:{short_path}/missing/admin.sock")
    with pytest.raises(OSError, match=r"missing/admin\.sock: No such file"):
        Listeners.open(settings)
    assert not list(short_path.iterdir())


@pytest.mark.parametrize(
    ("family", "address", "url", "host", "is_local"),
    [
        (socket.AF_INET, ("127.0.0.1", 0), "http://127.0.0.1:{port}", "127.0.0.1", True),
        (socket.AF_INET, ("", 0), "http://0.0.0.0:{port}", "0.0.0.0", False),
        (socket.AF_INET6, ("::", 0), "http://[::]:{port}", "::", False),
        (socket.AF_UNIX, "\0adopted", "unix:@adopted", "localhost", True),
        (socket.AF_UNIX, "{folder}/api.sock", "unix:{folder}/api.sock", "localhost", True),
    ],
)
def test_a_socket_of_the_service_manager_is_described_by_its_address(
    family: int,
    address: tuple[str, int] | str,
    url: str,
    host: str,
    is_local: bool,  # noqa: FBT001  # as above
    short_path: Path,
) -> None:
    with socket.socket(family) as listening:
        listening.bind(address.format(folder=short_path) if isinstance(address, str) else address)
        bound = adopt([listening])
        name = listening.getsockname()
        port = name[1] if isinstance(name, tuple) else 0
        assert url.format(folder=short_path, port=port) == bound.url
        assert (host, is_local) == (bound.host, bound.is_local)
        bound.close()
    if address == "{folder}/api.sock":
        assert (short_path / "api.sock").exists()
