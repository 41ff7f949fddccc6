"""The metrics of a running service, as Prometheus reads them."""

from __future__ import annotations

import base64
import http.client
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping

import pytest
import servers
from programs import Start, curl, free_port, listening
from promtool import promtool

import fakeissuer

Scrape = Callable[[], str]


@pytest.fixture
def monitored(start: Start) -> Callable[..., tuple[str, Scrape]]:
    """Return a function that starts the service, and returns its URL and a function that reads its metrics."""

    def starting(*arguments: str, **variables: str) -> tuple[str, Scrape]:
        port = free_port()
        process = start("service", "--port", "0", "--admin-port", str(port), *arguments, **variables)
        return listening(process), lambda: curl(f"http://127.0.0.1:{port}/metrics")[1]

    return starting


@pytest.mark.parametrize("processes", ["1", "2"])
def test_promtool_accepts_the_metrics(processes: str, monitored: Callable[..., tuple[str, Scrape]]) -> None:
    with fakeissuer.running() as issuer, servers.running("redis") as cache:
        variables = {"SERVICE_CACHE_URL": cache.url, "SERVICE_CACHE_SECRET": "c" * 32}
        url, scrape = monitored("--processes", processes, OKTA_OAUTH2_ISSUER=issuer.issuer_url(), **variables)
        for token in (issuer.token(), issuer.token(expires_in=-3600), "opaque"):
            curl("-H", f"Authorization: Bearer {token}", f"{url}/api/whoami")
        done = promtool("check", "metrics", standard_input=scrape())
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_a_client_adds_no_series(monitored: Callable[..., tuple[str, Scrape]]) -> None:
    with fakeissuer.running() as issuer:
        url, scrape = monitored(
            OKTA_OAUTH2_ISSUER=issuer.issuer_url(), SERVICE_TRUSTED_PROXIES="127.0.0.1", SERVICE_LOG_LEVEL="error"
        )
        client = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        for _ in range(20):  # enough to use up the fetches for unknown key IDs
            _send_what_a_client_can_invent(client, issuer.issuer_url())
        deadline = time.monotonic() + 20
        while "resource_server_key_set_age_seconds{" not in (text := scrape()):  # the state is read once a second
            assert time.monotonic() < deadline
        before = _series(text)
        for _ in range(1000 // len(INVENTED)):
            _send_what_a_client_can_invent(client, issuer.issuer_url())
        after = _series(scrape())
        client.close()
    assert before == after
    assert not [series for series in after if re.search("x[0-9a-f]{8}", series, re.IGNORECASE)]
    for label in ('method="_OTHER"', 'http_route=""', 'reason="unknown_key"', 'reason="unknown_issuer"'):
        assert any(label in series for series in after), label


INVENTED = ("path", "query", "method", "kid", "iss", "alg", "typ", "sub", "opaque", "scheme", "proof", "proto", "host")


def _series(text: str) -> set[str]:
    """Return the series, without those of responses that a slow machine can cause."""
    series = {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    return {each for each in series if '="503"' not in each and "unavailable" not in each}


def _send_what_a_client_can_invent(client: http.client.HTTPConnection, issuer: str) -> None:
    """Send one request with each part invented, and the others as usual."""
    for part in INVENTED:
        invented = {part: f"x{secrets.token_hex(4)}"}
        header = {
            "alg": invented.get("alg", "RS256"),
            "kid": invented.get("kid", "k"),
            "typ": invented.get("typ", "JWT"),
        }
        header = {name: invented.get(name, usual) for name, usual in (("alg", "RS256"), ("kid", "k"), ("typ", "JWT"))}
        claims = {name: invented.get(name, usual) for name, usual in (("iss", issuer), ("sub", "s"), ("exp", 4e9))}
        signature = base64.urlsafe_b64encode(secrets.token_bytes(256)).decode().rstrip("=")
        jwt = f"{_encode(header)}.{_encode(claims)}.{signature}"
        fields = {
            "Authorization": f"{invented.get('scheme', 'Bearer')} {invented.get('opaque', jwt)}",
            "X-Forwarded-Proto": invented.get("proto", "https"),
            "Host": f"{invented.get('host', 'api')}.example",
        }
        if "proof" in invented:
            fields |= {"DPoP": invented["proof"], "Authorization": f"DPoP {jwt}"}
        path = f"/api/{invented.get('path', 'whoami')}?{invented.get('query', 'q')}=1"
        client.request(invented.get("method", "GET").upper(), path, headers=fields)
        client.getresponse().read()


def _encode(members: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
