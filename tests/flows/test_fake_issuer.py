"""The fake issuer from outside: the program and its fixtures, as its users meet them."""

# ruff: noqa: S310 - addresses told of with intent; URLs of servers that the test has started

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from programs import LOG_PIPE_SIZE

from fakeissuer import running
from fakeissuer.control.handlers import CONTROL_ROUTES
from fakeissuer.control.unusual_keys import UNUSUAL_KEYS
from fakeissuer.model.endpoints import ENDPOINTS
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.key_ring import KeyRing

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
START_TIMEOUT_S = 20


@contextmanager
def program(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[str, Any]]:
    """Run ``python -m fakeissuer``; give its URL, and the process, which is asked to stop at the end."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "fakeissuer", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pipesize=LOG_PIPE_SIZE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"listening on (https?://\S+)\n", line)
        assert found, line + process.stderr.read()
        yield found[1], process
    finally:
        process.terminate()
        process.communicate(timeout=START_TIMEOUT_S)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fakeissuer", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def read(url: str | urllib.request.Request, **more: Any) -> Any:
    with urllib.request.urlopen(url, timeout=10, **more) as answer:
        return json.load(answer)


def test_the_banner_lists_clients_and_users_and_its_curl_line_gets_a_token() -> None:
    with program("--port", "0") as (url, process):
        said: list[str] = []
        while not said or not said[-1].lstrip().startswith("curl"):
            said.append(process.stdout.readline())
        text = "".join(said)
        for expected in (
            f"{url}/oauth2/default",
            f"{url}/oauth2/partner",
            "0oaservice0000000001 / service-secret-for-tests-only-0000001",
        ):
            assert expected in text
        assert "alice@example.com / password" in text
        command = shlex.split(said[-1])
        got = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert json.loads(got.stdout)["token_type"] == "Bearer"


def test_the_token_command_prints_only_the_token() -> None:
    with program("--port", "0") as (url, _):
        got = run(
            *("token", "--issuer", f"{url}/oauth2/partner", "--sub", "carol@example.com", "--scope", "a b"),
            *("--claim", 'team="red"', "--claim", "ver=null", "--expires-in", "60"),
        )
        assert (got.returncode, got.stderr) == (0, "")
        token = got.stdout.rstrip("\n")
        body = json.dumps({"token": token}).encode()
        assert read(urllib.request.Request(f"{url}/_fake/revoke", body)) == {"revoked": True}


def test_a_failed_token_command_prints_the_reason() -> None:
    with program("--port", "0") as (url, _):
        refused = run("token", "--issuer", url, "--server", "unknown")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "There is no server of that id" in refused.stderr
    failed = run("token", "--issuer", url)
    assert failed.returncode == 1
    assert "python -m fakeissuer" in failed.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_stops_cleanly_on_a_signal(number: signal.Signals) -> None:
    with program("--port", "0") as (url, process):
        read(f"{url}/.well-known/openid-configuration")
        process.send_signal(number)
        assert process.wait(timeout=START_TIMEOUT_S) == 0
        log = process.stderr.read()
    assert "Traceback" not in log
    assert "method=GET path=/.well-known/openid-configuration status=200" in log


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--port", "70000"], "0 to 65535"),
        (["--port", "abc"], "0 to 65535"),
        (["--port", "1" * 5000], "0 to 65535"),
        (["--port", "x"], "port"),
        (["--nonsense"], "--nonsense"),
        (["--public-url", "https://dev-1.okta.com"], "belongs to Okta"),
        (["--public-url", "https://issuer.test/"], "slash"),
        (["--address", "0.0.0.0"], "--insecure-any-address"),
        (["--profile", "magic"], "strict-rfc"),
        (["--ca-file", "ca.pem"], "--tls"),
        (["--client-ca", "ca.pem"], "--tls"),
        (["--config", "nowhere.toml"], "--config"),
        (["--keys", "/nowhere/keys.json"], "--keys"),
        (["token", "--claim", "team=red"], "NAME=JSON"),
        (["token", "--issuer", "nonsense"], "--issuer"),
        (["token", "--expires-in", "soon"], "--expires-in"),
    ],
)
def test_wrong_usage_exits_with_2_and_prints_what_was_expected(arguments: list[str], expected: str) -> None:
    got = run(*arguments)
    assert (got.returncode, got.stdout) == (2, "")
    assert expected in got.stderr
    assert "Traceback" not in got.stderr


def test_an_address_in_use_is_reported() -> None:
    with program("--port", "0") as (url, _):
        got = run("--port", url.rpartition(":")[2])
        assert got.returncode == 2
        assert "cannot be listened on" in got.stderr


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("fakeissuer ")
    assert "--insecure-any-address" in run("--help").stdout


def test_the_log_can_be_json_and_never_holds_a_token() -> None:
    with program("--port", "0", "--log-format", "json") as (url, process):
        token = run("token", "--issuer", url).stdout.strip()
        request = urllib.request.Request(
            f"{url}/oauth2/default/v1/keys?x={token}", headers={"Authorization": f"Bearer {token}"}
        )
        read(request)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", f"a,{token}")
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()
        process.terminate()
        lines = process.stderr.read().splitlines()
    assert {"GET", "POST"} <= {json.loads(line).get("method") for line in lines}
    assert token not in "".join(lines)


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key_sets = []
    for _ in range(2):
        with program("--port", "0", "--keys", str(file)) as (url, _):
            key_sets.append(read(f"{url}/oauth2/default/v1/keys"))
    assert key_sets[0] == key_sets[1]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_config_file_adds_servers_clients_and_users(tmp_path: Path) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text('[servers.orders]\naudience = "api://orders"\n[users."carol@example.com"]\ngroups = ["Auditors"]\n')
    with program("--port", "0", "--config", str(file)) as (url, _):
        overview = read(f"{url}/_fake/")
        assert "orders" in [server["id"] for server in overview["servers"]]
        assert "carol@example.com" in [user["login"] for user in overview["users"]]


def test_a_control_token_comes_from_the_environment() -> None:
    environment = {"FAKEISSUER_CONTROL_TOKEN": "a-control-token"}
    with program("--port", "0", "--address", "0.0.0.0", environment=environment) as (url, _):
        assert url.startswith("http://127.0.0.1:")
        assert run("token", "--issuer", url).returncode == 1
        request = urllib.request.Request(f"{url}/_fake/clock", headers={"Authorization": "Bearer a-control-token"})
        assert read(request)["frozen"] is False


def test_200_concurrent_reads_are_200_requests_on_as_many_connections(fake_issuer: RunningIssuer) -> None:
    path = urlsplit(fake_issuer.issuer_url()).path + "/v1/keys"

    def read_ten_times(_: int) -> list[int]:
        connection = http.client.HTTPConnection(urlsplit(fake_issuer.url).netloc, timeout=10)
        statuses = []
        for _ in range(10):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(20) as threads:
        assert [status for statuses in threads.map(read_ten_times, range(20)) for status in statuses] == [200] * 200
    requests = fake_issuer.requests("keys")
    assert (requests.count, requests.connections, len(requests.requests)) == (200, 20, 200)


def test_counted_faults_run_out_exactly_under_concurrency(fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", status=503, times=37)
    fake_issuer.fail("keys", delay=0.05, times=20)

    def status(_: int) -> int:
        connection = http.client.HTTPConnection(urlsplit(fake_issuer.url).netloc, timeout=10)
        connection.request("GET", urlsplit(fake_issuer.issuer_url()).path + "/v1/keys")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(status, range(100)))
    assert (statuses.count(503), statuses.count(200)) == (37, 63)
    assert fake_issuer.faults() == []


def test_no_response_of_any_endpoint_holds_a_private_key(fake_issuer: RunningIssuer) -> None:
    minted = [fake_issuer.token(alg=alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")]
    minted += [fake_issuer.token(key=key) for key in UNUSUAL_KEYS]
    paths = [
        path.replace("(?P<kind>users|clients|servers)/(?P<name>[^/]+)", "servers/default") for path, _ in CONTROL_ROUTES
    ]
    urls = [f"{fake_issuer.url}/_fake{path.rstrip('?')}" for path in paths if path != "/.*"]
    for server in ("default", "partner"):
        base = fake_issuer.issuer_url(server)
        urls += [f"{base}/v1/{endpoint.path}" for endpoint in ENDPOINTS.values()]
        urls += [f"{base}/.well-known/{name}" for name in ("openid-configuration", "oauth-authorization-server")]
    urls += [f"{fake_issuer.url}/oauth2/v1/keys", f"{fake_issuer.url}/.well-known/openid-configuration"]
    seen, published = 0, set()
    # All is read before anything is changed: a reset, or a server that is deleted, takes the odd keys along.
    for method in ("GET", "POST", "PUT", "DELETE"):
        for url in urls:
            request = urllib.request.Request(url, b"" if method != "GET" else None, method=method)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    body = answer.read()
            except urllib.error.HTTPError as exc:
                with exc:
                    body = exc.read()
            if body:
                members = {} if body.startswith(b"<!DOCTYPE html>") else json.loads(body)
                assert not private_members(members), (method, url)
                published |= {key["kid"] for key in members["keys"]} if "keys" in members else set()
                assert b"PRIVATE KEY" not in body
                seen += 1
    assert seen > 100
    assert {jwt.get_unverified_header(token)["kid"] for token in minted} <= published


def private_members(value: Any) -> set[str]:
    """The names of private JWK members, wherever in the JSON there is a key."""
    if isinstance(value, list):
        return set().union(*(private_members(item) for item in value))
    if not isinstance(value, dict):
        return set()
    own = PRIVATE_MEMBERS & value.keys() if "kty" in value else set()
    return own.union(*(private_members(item) for item in value.values()))


def test_the_leak_test_detects_a_leak(fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    original = KeyRing.publish_extra
    monkeypatch.setattr(
        KeyRing, "publish_extra", lambda ring, name, members: original(ring, name, {**members, "d": "y"})
    )
    with pytest.raises(AssertionError, match="/v1/keys"):
        test_no_response_of_any_endpoint_holds_a_private_key(fake_issuer)


def test_tls_is_trusted_by_the_certificate_of_its_own_ca(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    with program("--port", "0", "--tls", "--ca-file", str(file)) as (url, _):
        assert url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(file))
        issuer = read(f"{url}/oauth2/default/.well-known/openid-configuration", context=trust)["issuer"]
        assert issuer == f"{url}/oauth2/default"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            read(f"{url}/", context=ssl.create_default_context())
        got = run("token", "--issuer", url, "--ca-file", str(file))
        assert got.returncode == 0
    assert b"PRIVATE" not in file.read_bytes()


OKTA_CHECK = """
import asyncio, json, sys
from okta_jwt_verifier import AccessTokenVerifier

verifier = AccessTokenVerifier(issuer=sys.argv[1], audience="api://default")

async def outcome(token):
    try:
        await verifier.verify(token)
        verifier.verify_sync(token)
    except Exception as exc:
        return f"{type(exc).__name__}: {exc}"
    return "accepted"

async def main():
    print(json.dumps({name: await outcome(token) for name, token in json.load(sys.stdin).items()}))

asyncio.run(main())
"""

OKTA_REFUSES = """
    exp-past exp-missing iss-missing iss-elsewhere iss-with-slash aud-missing aud-elsewhere aud-list-elsewhere alg-none
    alg-hs256-public-key-pem alg-rs512 key-wrong-under-known-kid kid-unpublished signature-bit-flipped signature-empty
    payload-changed-after-signing token-of-another-server org-server-token id-token refresh-token two-parts
""".split()  # noqa: SIM905  # one name a line would be a screen of commas


@pytest.mark.skipif(
    not all(map(find_spec, ("okta_jwt_verifier", "requests"))),
    reason="okta-jwt-verifier, or requests, which it needs without saying so, is not installed",
)
def test_oktas_verifier_accepts_a_good_token_and_rejects_bad_ones(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    with running(tls=True, ca_file=file) as issuer:
        tokens = {bad.name: bad.token for bad in issuer.bad_tokens() if bad.name in OKTA_REFUSES}
        tokens |= {"of a service": issuer.token(), "of a user": issuer.token(sub="alice@example.com")}
        got = subprocess.run(
            [sys.executable, "-c", OKTA_CHECK, issuer.issuer_url()],
            input=json.dumps(tokens),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            env={**os.environ, "SSL_CERT_FILE": str(file), "REQUESTS_CA_BUNDLE": str(file)},
        )
    outcomes = json.loads(got.stdout)
    assert {name for name, outcome in outcomes.items() if outcome == "accepted"} == {"of a service", "of a user"}
    assert outcomes.keys() == {"of a service", "of a user", *OKTA_REFUSES}
