"""An API behind a real nginx with the configuration of the documentation: what it reports, and what clients forge."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docutils.core
import docutils.nodes
import nginx
import pytest
import tornado.web
import trustme
from programs import free_port
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, LimitedHTTPServer, Settings, make_app
from service.web.credentials.external_url import external_url

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "behind-a-proxy.rst"
CLIENT = "127.0.0.2"
"""Another address than that of nginx, which connects from 127.0.0.1."""
METADATA = "/.well-known/oauth-protected-resource"
EXPECTED = {"address": CLIENT, "scheme": "https", "host": "api.example", "url": "https://api.example/seen"}

FORGERIES = [
    ["X-Forwarded-For: 9.9.9.9"],
    ["X-Forwarded-For: 9.9.9.9, 127.0.0.1"],
    ["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 127.0.0.1"],
    ['X-Forwarded-For: "9.9.9.9'],
    ["x-forwarded-proto: http", "x-forwarded-host: evil.example"],
    ["X_Forwarded_Host: evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Host: b.example"],
    ["Forwarded: for=9.9.9.9;host=evil.example;proto=http"],
    ['Forwarded: for="9.9.9.9', "Forwarded: host=evil.example"],
    ["X-Real-IP: 9.9.9.9", "X-Scheme: http", "X-Forwarded-Port: 1", "X-Forwarded-Server: evil.example"],
    ["Connection: X-Forwarded-For, X-Forwarded-Host"],
    ["Connection: close, X-Forwarded-Proto"],
]


class Seen(BearerAuthMixin, tornado.web.RequestHandler):
    """Returns what the service knows of the client's request."""

    public = True

    def get(self) -> None:
        request = self.request
        url = external_url(request, self._context.resource.public_url)
        seen = {"address": request.remote_ip, "scheme": request.protocol, "host": request.host, "url": url}
        self.write(seen)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A running nginx, and the authority of its certificate."""

    port: int
    authority: trustme.CA

    async def get(
        self, path: str = "/seen", *fields: str, host: str = "api.example", client: str = CLIENT
    ) -> tuple[int, dict[str, Any]]:
        """Send these bytes as header fields, and return the status and the JSON object of the response."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname="api.example", local_addr=(client, 0)
        )
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *fields, "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode())
        response = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        header, _, body = response.partition(b"\r\n\r\n")
        is_json = b"application/json" in header
        return int(header.split(b" ", 2)[1]), json.loads(body) if is_json else {}


Serve = Callable[..., str]


@pytest.fixture
def serve(io_loop: IOLoop, fake_issuer: RunningIssuer, tmp_path: Path) -> Iterator[Serve]:
    """Serve at a port or a Unix socket; return what ``proxy_pass`` has to hold."""
    opened: list[Any] = []

    def start(*proxies: str, is_unix: bool = False, **settings: Any) -> str:
        values = Settings(issuer=fake_issuer.issuer_url(), trusted_proxies=proxies, **settings)
        service = make_app(values, routes=[("/seen", Seen)])
        if is_unix:
            example: dict[str, Any] = {}
            exec(_block("python"), example)  # noqa: S102  # the code of the page
            opened.append((example["listen"](service, values, str(tmp_path / "api.sock")), service))
            return f"http://unix:{tmp_path}/api.sock:"
        server = LimitedHTTPServer(service, limits=values)
        opened.append((server, service))
        listening, port = bind_unused_port()
        server.add_sockets([listening])
        return f"http://127.0.0.1:{port}"

    yield start
    for server, service in opened:
        server.stop()
        io_loop.run_sync(server.close_all_connections)
        io_loop.run_sync(service.close)


def _block(language: str) -> str:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"))
    (shown,) = [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]
    return str(shown)


def _configuration(upstream: str, port: int, pem: Path, changes: dict[str, str]) -> str:
    shown = _block("nginx")
    ours = {"listen 443": f"listen 127.0.0.1:{port}", "http://10.0.0.20:8080": upstream, "/etc/nginx/api.pem": str(pem)}
    for old, new in {**changes, **ours}.items():
        assert old in shown
        shown = shown.replace(old, new)
    return shown


@pytest.fixture
def behind(tmp_path: Path) -> Any:
    """Return a context manager that runs nginx with the configuration of the page and these changes."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; Debian has it as nginx-light")
    authority, pem = trustme.CA(), tmp_path / "api.pem"
    authority.issue_cert("api.example").private_key_and_cert_chain_pem.write_to_path(pem)

    class _Behind:
        def __init__(self, upstream: str, changes: dict[str, str] | None = None) -> None:
            self._port = free_port()
            http = _configuration(upstream, self._port, pem, changes or {})
            user = "user root;" if os.geteuid() == 0 else ""  # else it becomes a user who cannot open the socket
            self._running = nginx.running(tmp_path, port=self._port, http=http, main=user)

        async def __aenter__(self) -> Proxy:
            await self._running.__aenter__()
            return Proxy(port=self._port, authority=authority)

        async def __aexit__(self, *exc: object) -> None:
            await self._running.__aexit__(None, None, None)

    return _Behind


@pytest.mark.gen_test
async def test_the_access_log_and_the_metadata_have_the_client_scheme_and_host(
    serve: Serve, behind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.access")
    async with behind(serve("127.0.0.1")) as proxy:
        assert (200, EXPECTED) == await proxy.get()
        _, document = await proxy.get(METADATA)
    assert "https://api.example" == document["resource"]
    assert {CLIENT} == {vars(record)["remote_ip"] for record in caplog.records if record.name == "service.access"}


@pytest.mark.parametrize("fields", FORGERIES, ids=" | ".join)
@pytest.mark.gen_test
async def test_what_a_client_forges_does_not_get_through(fields: list[str], serve: Serve, behind: Any) -> None:
    async with behind(serve("127.0.0.1")) as proxy:
        assert (200, EXPECTED) == await proxy.get("/seen", *fields)


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("/seen", "evil.example", 421),
        ("https://evil.example/seen", "api.example", 421),
        ("https://api.example/seen", "evil.example", 200),
        ("/seen", "api.example:9999", 200),
        ("/seen", "API.example", 200),
    ],
)
@pytest.mark.gen_test
async def test_a_host_of_the_client_does_not_get_through(
    target: str, host: str, status: int, serve: Serve, behind: Any
) -> None:
    async with behind(serve("127.0.0.1")) as proxy:
        assert (status, EXPECTED if status == 200 else {}) == await proxy.get(target, host=host)


@pytest.mark.gen_test
async def test_nothing_is_read_from_a_proxy_that_is_not_trusted(serve: Serve, behind: Any) -> None:
    async with behind(serve("10.0.0.1")) as proxy:
        expected = {"address": "127.0.0.1", "scheme": "http", "host": "api.example", "url": None}
        assert (200, expected) == await proxy.get("/seen", *FORGERIES[0])


@pytest.mark.gen_test
async def test_a_proxy_at_a_unix_socket_is_trusted_by_name(serve: Serve, behind: Any) -> None:
    async with behind(serve("unix", is_unix=True)) as proxy:
        for fields in FORGERIES:
            assert (200, EXPECTED) == await proxy.get("/seen", *fields)


@pytest.mark.parametrize("proxies", [["127.0.0.1", "0.0.0.0"], []], ids=["by address", "none"])  # compared
@pytest.mark.gen_test
async def test_a_proxy_at_a_unix_socket_has_no_address(proxies: list[str], serve: Serve, behind: Any) -> None:
    async with behind(serve(*proxies, is_unix=True)) as proxy:
        expected = {"address": "0.0.0.0", "scheme": "http", "host": "api.example", "url": None}  # reported
        assert (200, expected) == await proxy.get()


@pytest.mark.parametrize(
    ("public_url", "resource", "url"),
    [
        ("https://public.example", "https://public.example", "https://public.example/seen"),
        ("https://public.example/v1", "https://public.example/v1", "https://public.example/v1/seen"),
    ],
)
@pytest.mark.gen_test
async def test_a_public_url_fixes_the_host_and_the_proxy_reports_the_rest(
    public_url: str, resource: str, url: str, serve: Serve, behind: Any
) -> None:
    changes = {
        "proxy_set_header Host $host;": "proxy_set_header Host api.internal;",
        "proxy_set_header X-Forwarded-Host $host;": 'proxy_set_header X-Forwarded-Host "";',
    }
    async with behind(serve("127.0.0.1", public_url=public_url), changes) as proxy:
        seen = {"address": CLIENT, "scheme": "https", "host": "api.internal", "url": url}
        for fields in FORGERIES:
            assert (200, seen) == await proxy.get("/seen", *fields)
        path = public_url.removeprefix("https://public.example")
        assert resource == (await proxy.get(f"{METADATA}{path}"))[1]["resource"]
