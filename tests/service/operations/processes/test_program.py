"""The program with one process or several."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import servers
import trustme
from programs import LISTENING, Start, curl, first_match, first_matches, free_port, listening

import fakeissuer

TOKEN = "operators-only-0123456789-abcdefghij"
OKTA = "https://dev-123456.okta.com/oauth2/default"
WHO = """
import os
import tornado.web
from service import BearerAuthMixin
from service.web.endpoints.okta_guide import WhoAmI

class Who(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self):
        self.set_header("Connection", "close")
        self.write(str(os.getpid()))

ROUTES = [(r"/who", Who), (r"/api/whoami", WhoAmI)]
"""


def _responding_processes(url: str, *, until: Callable[[set[int]], bool]) -> set[int]:
    """Return the IDs of the processes that respond, once they satisfy the condition."""
    seen: set[int] = set()
    end = time.monotonic() + 20
    while not until(seen) and time.monotonic() < end:
        with contextlib.suppress(
            urllib.error.URLError, ConnectionError
        ):  # a killed process may have accepted the connection
            seen.add(int(urllib.request.urlopen(f"{url}/who", timeout=5).read()))  # noqa: S310  # ours
        time.sleep(0.005)  # each request is a line in a log that is not read yet
    assert until(seen)
    return seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "who.py").write_text(WHO)
    return tmp_path


def test_several_processes_serve_one_port_and_a_killed_one_is_restarted(start: Start, folder: Path) -> None:
    options = ("--processes", "2", "--port", "0", "--routes", "who:ROUTES", "--issuer", OKTA)
    process = start("service", *options, PYTHONPATH=str(folder))
    url = listening(process)
    first = _responding_processes(url, until=lambda seen: len(seen) == 2)
    assert process.pid not in first
    os.kill(min(first), signal.SIGKILL)
    later = _responding_processes(url, until=lambda seen: len(seen - {min(first)}) == 2)
    assert max(first) in later
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (0, 0) == (process.returncode, err.count("listening on"))  # the only one was read above
    assert "worker exited, restarting" in err
    assert "exit_code=-9" in err
    assert "Traceback" not in err
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)  # noqa: S310  # ours


def test_processes_share_the_connections_of_one_client(start: Start, folder: Path) -> None:
    """One process accepted up to 128 connections at once, and so all those of a client with a pool."""
    options = ("--processes", "2", "--port", "0", "--routes", "who:ROUTES", "--issuer", OKTA)
    url = listening(start("service", *options, PYTHONPATH=str(folder)))
    _responding_processes(url, until=lambda seen: len(seen) == 2)
    host, _, port = url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as stack:
        pool = [stack.enter_context(socket.create_connection((host, int(port)), timeout=10)) for _ in range(64)]
        for connection in pool:
            connection.sendall(b"GET /who HTTP/1.1\r\nHost: api\r\n\r\n")
        served = [connection.recv(4096).rpartition(b"\r\n\r\n")[2] for connection in pool]
    assert 2 == len(set(served)), served


def test_workers_exit_when_their_parent_is_killed(start: Start, folder: Path) -> None:
    options = ("--processes", "2", "--port", "0", "--routes", "who:ROUTES", "--issuer", OKTA)
    process = start("service", *options, PYTHONPATH=str(folder))
    url = listening(process)
    _responding_processes(url, until=lambda seen: len(seen) == 2)
    process.kill()
    process.communicate(timeout=20)  # returns once the pipes are closed
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)  # noqa: S310  # ours


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_deny_entry_reaches_all_processes(kind: str, start: Start, folder: Path) -> None:
    port = free_port()
    with servers.running(kind) as cache, fakeissuer.running() as issuer:
        process = start(
            "service", "--processes", "2", "--port", "0", "--admin-port", str(port), "--routes", "who:ROUTES",
            PYTHONPATH=str(folder), SERVICE_CACHE_URL=cache.url, SERVICE_ADMIN_TOKEN=TOKEN,
            OKTA_OAUTH2_ISSUER=issuer.issuer_url(),
        )  # fmt: skip
        url, token = listening(process), issuer.token(sub="mallory@example.com")
        _responding_processes(url, until=lambda seen: len(seen) == 2)
        bearer = ["-H", f"Authorization: Bearer {token}", f"{url}/api/whoami"]
        assert {200} == {curl(*bearer)[0] for _ in range(10)}
        admin = [
            "-H",
            f"Authorization: Bearer {TOKEN}",
            f"http://127.0.0.1:{port}/deny-list",
        ]
        assert 201 == curl("-d", '{"sub": "mallory@example.com"}', *admin)[0]
        _until(lambda: {401} == {curl(*bearer)[0] for _ in range(10)})
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert 0 == process.returncode


@pytest.mark.parametrize("processes", ["1", "2"])
def test_metrics_are_summed_over_all_processes(processes: str, start: Start, folder: Path) -> None:
    port = free_port()
    with servers.running("redis") as cache:
        process = start(
            "service", "--processes", processes, "--port", "0", "--admin-port", str(port), "--routes", "who:ROUTES",
            "--issuer", OKTA, PYTHONPATH=str(folder), SERVICE_CACHE_URL=cache.url, SERVICE_CACHE_SECRET="s" * 32,
        )  # fmt: skip
        url = listening(process)
        _responding_processes(url, until=lambda seen: len(seen) == int(processes))
        assert [401] * 7 == [curl(f"{url}/api/whoami")[0] for _ in range(7)]
        status, text = curl(f"http://127.0.0.1:{port}/metrics")
        assert 200 == status
        assert re.search(r'duration_seconds_count{[^}]*"401",http_route="/api/whoami"[^}]*} 7\.0', text)
        assert 'resource_server_rejections_total{reason="missing_token"} 7.0' in text
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """The settings of a certificate for 127.0.0.1, and ``CURL_CA_BUNDLE`` to trust it."""
    authority, pem, ca_file = trustme.CA(), tmp_path / "own.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(ca_file))
    return {"SERVICE_CERTFILE": str(pem), "SERVICE_KEYFILE": str(pem), "CA_FILE": str(ca_file)}


def test_the_admin_port_listens_on_loopback_when_the_api_does_not(start: Start, certificate: dict[str, str]) -> None:
    port = free_port()
    process = start(
        "service", "--port", "0", "--admin-port", str(port), "--address", "0.0.0.0", "--issuer", OKTA, **certificate
    )
    assert process.stderr is not None
    admin, api = first_matches(process.stderr, r"admin port listening url=(\S+)", LISTENING)
    assert (f"http://127.0.0.1:{port}", True) == (admin, api.startswith("https://0.0.0.0:"))
    assert 200 == curl(f"http://127.0.0.1:{port}/metrics")[0]
    assert 403 == curl("-H", "Host: attacker.example", f"http://127.0.0.1:{port}/metrics")[0]
    with socket.socket() as probe:
        assert 0 != probe.connect_ex(("127.0.0.2", port))


def test_an_admin_port_that_others_reach_has_the_tls_of_the_api(start: Start, certificate: dict[str, str]) -> None:
    port = free_port()
    process = start(
        "service", "--port", "0", "--admin-port", str(port), "--issuer", OKTA,
        SERVICE_ADMIN_ADDRESS="0.0.0.0", SERVICE_ADMIN_HOSTS="api.monitoring.svc", **certificate,
    )  # fmt: skip
    assert process.stderr is not None
    admin, _ = first_matches(process.stderr, r"admin port listening url=(\S+)", LISTENING)
    assert f"https://0.0.0.0:{port}" == admin
    trusting = ["--cacert", certificate["CA_FILE"], f"https://127.0.0.1:{port}/metrics"]
    assert 200 == curl(*trusting)[0]
    for host, status in (("10.0.0.5", 200), ("api.monitoring.svc", 200), ("attacker.example", 403)):
        assert status == curl("-H", f"Host: {host}", *trusting)[0]
    process.send_signal(signal.SIGTERM)
    assert "without TLS" not in process.communicate(timeout=20)[1]


def test_an_admin_port_that_others_reach_without_tls_is_logged(start: Start) -> None:
    process = start("service", "--port", "0", "--admin-port", "0", "--issuer", OKTA, SERVICE_ADMIN_ADDRESS="0.0.0.0")
    assert process.stderr is not None
    assert first_match(process.stderr, r"(reachable without TLS)")


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "timed out"


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (["--issuer", OKTA, "--routes", "os:sep"], 2, "package.module:attribute"),
        (["--issuer", OKTA, "--certfile", "none.pem", "--keyfile", "none.pem"], 2, "No such file"),
        (["--issuer", OKTA, "--admin-port", "0"], 2, "cache_url"),
        (["--demo", "--issuer-port", "0"], 2, "the demo runs in one process"),
    ],
)
def test_a_start_error_is_printed_once(options: list[str], status: int, word: str, start: Start) -> None:
    process = start("service", "--processes", "3", "--port", "0", *options)
    _, err = process.communicate(timeout=30)
    assert (status, 1) == (process.returncode, err.count(word))
    assert "Traceback" not in err


WARNING = "public_url is not set, so the protected resource metadata repeats the Host of each request"


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"SERVICE_ADDRESS": "0.0.0.0"}, 1),
        ({"SERVICE_ADDRESS": "127.0.0.1"}, 0),
        ({"SERVICE_ADDRESS": "0.0.0.0", "SERVICE_PUBLIC_URL": "https://api.example"}, 0),
    ],
    ids=["a public address", "a loopback address", "a public URL"],
)
def test_a_public_address_without_a_public_url_causes_one_warning(
    variables: dict[str, str], count: int, processes: str, start: Start
) -> None:
    process = start("service", "--port", "0", "--issuer", OKTA, "--processes", processes, **variables)
    assert process.stderr is not None
    lines = list(itertools.takewhile(lambda line: not line.startswith("listening on "), process.stderr))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (0, count) == (process.returncode, sum(WARNING in line for line in [*lines, err]))


@pytest.mark.parametrize("processes", ["1", "2"])
def test_no_line_of_the_access_log_is_lost_at_a_stop(processes: str, start: Start) -> None:
    process = start("service", "--port", "0", "--processes", processes, "--issuer", OKTA)
    api = listening(process)
    for _ in range(30):
        assert 200 == curl(f"{api}/api/hello")[0]
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert 30 == err.count("service.access: GET /api/hello 200")


def test_the_access_log_is_written_while_the_program_runs(start: Start) -> None:
    process = start("service", "--port", "0", "--issuer", OKTA)
    assert 200 == curl(f"{listening(process)}/api/hello")[0]
    assert process.stderr is not None
    assert first_match(process.stderr, r"(service\.access: GET /api/hello 200)")
