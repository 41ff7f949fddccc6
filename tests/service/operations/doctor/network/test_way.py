from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from programs import free_port

from service.clock import ManualClock, SystemClock
from service.operations.doctor.network import way as module
from service.operations.doctor.network.way import check_way
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def _way(url: str, **values: Any) -> dict[str, Finding]:
    settings = Settings.from_keywords(issuer=url, audience="api", **values)
    (issuer,) = settings.trusted_issuers
    return {each.about: each async for each in check_way(issuer, url, settings, clock=SystemClock())}


@asynccontextmanager
async def _serving(folder: Path, name: str = "localhost", **dates: dt.datetime) -> AsyncIterator[tuple[str, str]]:
    """Serve TLS on a free port, and yield the URL and the file of the CA."""
    authority = Authority(folder)
    issued = authority.issue(name, **dates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.file, issued.key_file)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", str(authority.file)


TLS: dict[str, tuple[str, dict[str, dt.datetime], bool, Outcome, str]] = {
    "for years": ("localhost", {"not_after": NOW + 900 * DAY}, True, Outcome.OK, "certificate of localhost is valid"),
    "for days": ("localhost", {"not_after": NOW + 3.9 * DAY}, True, Outcome.WARN, "in 4 days; the operator of the"),
    "expired": ("localhost", {"not_after": NOW - 3.5 * DAY}, True, Outcome.FAIL, "expired 4 days ago"),
    "not valid yet": (
        "localhost", {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY}, True, Outcome.FAIL, "clock is behind",
    ),
    "of an unknown CA": ("localhost", {}, False, Outcome.FAIL, "for a private CA set ca_file"),
    "for another name": ("elsewhere.example", {}, True, Outcome.FAIL, "the certificate of elsewhere.example, issued"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "dates", "is_known", "outcome", "words"), TLS.values(), ids=TLS)
@pytest.mark.gen_test
async def test_the_certificates_of_the_issuer_are_checked(
    name: str, dates: dict[str, dt.datetime], is_known: bool, outcome: Outcome, words: str, tmp_path: Path  # noqa: FBT001  # a row
) -> None:  # fmt: skip
    async with _serving(tmp_path, name, **dates) as (url, ca_file):
        found = await _way(url, **({"ca_file": ca_file} if is_known else {}))
    assert outcome is found["TLS to the issuer"].outcome, found["TLS to the issuer"].line()
    assert words in found["TLS to the issuer"].line()
    assert Outcome.OK is found["name"].outcome
    assert "localhost is " in found["name"].found


@pytest.mark.gen_test
async def test_a_folder_of_trusted_certificates_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    async with _serving(tmp_path) as (url, ca_file):
        assert Outcome.OK is (await _way(url, ca_file=ca_file))["TLS to the issuer"].outcome
        assert Outcome.FAIL is (await _way(url))["TLS to the issuer"].outcome


@pytest.mark.gen_test
async def test_a_closed_port_is_no_problem_of_tls() -> None:
    found = await _way(f"https://localhost:{free_port()}")
    assert Outcome.SKIPPED is found["TLS to the issuer"].outcome
    assert "there is no connection" in found["TLS to the issuer"].found


@pytest.mark.gen_test
async def test_a_server_that_goes_away_meanwhile_is_no_problem_of_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.operations.doctor.network import certificates  # noqa: PLC0415  # to replace a function

    real, calls = certificates._connect, []

    def connect(url: str, **arguments: Any) -> Any:
        calls.append(url)
        return real(url if len(calls) == 1 else f"https://localhost:{free_port()}", **arguments)

    monkeypatch.setattr(certificates, "_connect", connect)
    async with _serving(tmp_path) as (url, _):
        assert Outcome.SKIPPED is (await _way(url))["TLS to the issuer"].outcome


@pytest.mark.gen_test
async def test_a_name_that_does_not_exist_is_named() -> None:
    found = await _way("https://no-such-host.invalid")
    assert Outcome.FAIL is found["name"].outcome
    assert "no-such-host.invalid: " in found["name"].found
    assert "/etc/resolv.conf" in found["name"].advice


@pytest.mark.gen_test
async def test_name_servers_that_do_not_respond_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(module, "_TIMEOUT", 0.01)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", wait)
    found = await _way("https://localhost:1")
    assert Outcome.FAIL is found["name"].outcome
    assert "do not respond" in found["name"].advice


@pytest.mark.gen_test
async def test_the_proxy_is_checked(tmp_path: Path) -> None:
    port = free_port()
    found = await _way("https://idp.invalid", http_proxy=f"http://alice:hunter2@127.0.0.1:{port}")
    assert Outcome.FAIL is found["proxy"].outcome
    assert f"http://127.0.0.1:{port}: " in found["proxy"].found
    assert all("hunter2" not in finding.line() for finding in found.values())
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await _way("https://idp.invalid", http_proxy=proxy)
        assert (Outcome.OK, f"{proxy}, which accepts connections") == (found["proxy"].outcome, found["proxy"].found)
        assert "which the proxy resolves" in found["name"].found
        found = await _way("https://idp.invalid", http_proxy=proxy.replace("http:", "socks5:"))
        assert Outcome.FAIL is found["name"].outcome
        assert "none for this issuer" == (await _way("https://localhost:1", http_proxy=proxy))["proxy"].found


@pytest.mark.gen_test
async def test_an_address_needs_no_name_server(clock: ManualClock) -> None:
    assert "which is an address" in (await _way("http://127.0.0.1:1"))["name"].found
