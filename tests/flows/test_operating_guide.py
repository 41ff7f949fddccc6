"""Provokes each failure of the operating guide, and compares log, metric and responses with what the page says."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import servers
from certificates import Authority
from failures_page import Expression, read_failures
from operated import ADMIN_TOKEN, Operated, eventually
from plain_http import send
from programs import Start, curl, free_port

import fakeissuer
from fakeissuer import DPoPClient, RunningIssuer

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operating" / "failures.rst"
FAILURES = read_failures(PAGE)
CREDENTIALS = {
    "OKTA_OAUTH2_CLIENT_ID": "0oaapi00000000000001",
    "OKTA_OAUTH2_CLIENT_SECRET": "api-secret-for-tests-only-00000000001",
}

SECRET = "s" * 32


class Rig:
    """An issuer, and the services that use it."""

    def __init__(self, issuer: RunningIssuer, start: Start, folder: Path) -> None:
        self.issuer = issuer
        self.folder = folder
        self._start = start

    def serve(self, **settings: str) -> Operated:
        """Start a service."""
        base = {
            "OKTA_OAUTH2_ISSUER": self.issuer.issuer_url(), "SERVICE_PORT": "0", "SERVICE_ADMIN_PORT": "0",
            "SERVICE_ADMIN_TOKEN": ADMIN_TOKEN,
        }  # fmt: skip
        return Operated(self._start("service", **base | settings))


@pytest.fixture
def rig(start: Start, tmp_path: Path) -> Iterator[Rig]:
    with fakeissuer.running() as issuer:
        yield Rig(issuer, start, tmp_path)


Provoke = Callable[[Rig], Operated]
SCENARIOS: dict[str, Provoke] = {}


def provokes(title: str) -> Callable[[Provoke], Provoke]:
    """Register what provokes the failure with this title, and returns the service that has it."""

    def register(provoke: Provoke) -> Provoke:
        SCENARIOS[title] = provoke
        return provoke

    return register


def test_every_failure_of_the_page_is_provoked() -> None:
    assert list(FAILURES) == list(SCENARIOS)


@pytest.mark.parametrize("title", FAILURES)
def test_a_failure_looks_as_the_page_says(title: str, rig: Rig) -> None:
    failure = FAILURES[title]
    service = SCENARIOS[title](rig)
    for line in failure.log:
        service.wait_for(line)
    for expression in failure.metrics:
        eventually(functools.partial(_holds, expression, service), expression)
    assert failure.statuses == service.statuses


def _holds(expression: Expression, service: Operated) -> bool:
    return expression.holds(service.metric(expression.name, expression.labels))


@provokes("The issuer is down when the service starts")
def issuer_down(rig: Rig) -> Operated:
    token = rig.issuer.token()
    rig.issuer.fail("discovery", status=502)
    service = rig.serve()
    assert "Retry-After" in service.get(token).headers
    assert 503 == service.get(path="/readyz").status
    return service


@provokes("The issuer is down and its keys are stale")
def stale_keys(rig: Rig) -> Operated:
    service = rig.serve()
    known = rig.issuer.token()
    assert 200 == service.get(known).status
    rig.issuer.fail("keys", drop=True)
    rig.issuer.fail("discovery", drop=True)
    # An unknown key is a reason to fetch the key set, and so is its age.
    assert 503 == service.get(rig.issuer.token(key="unpublished")).status
    assert 200 == service.get(known).status
    assert 200 == service.get(rig.issuer.token()).status
    return service


@provokes("The issuer has a name that cannot be resolved")
def dns(rig: Rig) -> Operated:
    service = rig.serve(
        OKTA_OAUTH2_ISSUER="https://issuer.invalid/oauth2/default", OKTA_OAUTH2_AUDIENCE="api://default"
    )
    service.get(path="/readyz")
    return service


@provokes("The proxy to the issuer is down")
def proxy(rig: Rig) -> Operated:
    service = rig.serve(
        OKTA_OAUTH2_ISSUER="https://issuer.example/oauth2/default", OKTA_OAUTH2_AUDIENCE="api://default",
        SERVICE_HTTP_PROXY=f"127.0.0.1:{free_port()}",
    )  # fmt: skip
    service.get(path="/readyz")
    return service


@provokes("A key of the issuer cannot be used")
def skipped_key(rig: Rig) -> Operated:
    published = send(f"{rig.issuer.issuer_url()}/v1/keys").json()["keys"]
    unusable = {"kty": "RSA", "kid": "new", "e": "AQAB", "use": "sig", "alg": "RS256"}
    rig.issuer.fail("keys", status=200, body=json.dumps({"keys": [*published, unusable]}))
    service = rig.serve()
    service.get(rig.issuer.token())
    service.get(rig.issuer.token(key="unpublished", header={"kid": "new"}))
    return service


@provokes("The clock is wrong")
def clock(rig: Rig) -> Operated:
    service = rig.serve()
    rig.issuer.clock.advance(3600)
    service.get(rig.issuer.token())
    return service


@provokes("Introspection fails")
def introspection(rig: Rig) -> Operated:
    service = rig.serve(SERVICE_VALIDATION="introspection", **CREDENTIALS)
    known = rig.issuer.token()
    assert 200 == service.get(known).status
    rig.issuer.fail("introspect", status=500)
    for _ in range(4):
        assert 503 == service.get(rig.issuer.token()).status
    assert 200 == service.get(known).status
    return service


@provokes("The issuer rejects the credentials of the service")
def credentials(rig: Rig) -> Operated:
    service = rig.serve(
        SERVICE_VALIDATION="introspection", **CREDENTIALS | {"OKTA_OAUTH2_CLIENT_SECRET": "an-old-secret" * 3}
    )
    service.get(rig.issuer.token())
    return service


@provokes("A client sends tokens with unknown keys")
def unknown_keys(rig: Rig) -> Operated:
    service = rig.serve()
    good = rig.issuer.token()
    assert 200 == service.get(good).status
    rig.issuer.clear_requests()
    for number in range(20):
        service.get(rig.issuer.token(key="unpublished", header={"kid": f"made-up-{number}"}))
    assert 200 == service.get(good).status
    assert rig.issuer.requests("keys").count <= 3
    return service


@provokes("A client sends many opaque tokens")
def opaque_tokens(rig: Rig) -> Operated:
    service = rig.serve(SERVICE_VALIDATION="introspection", SERVICE_INTROSPECTION_RATE_LIMIT="3", **CREDENTIALS)
    for number in range(8):
        service.get(f"made-up-{number}")
    return service


@provokes("The shared cache is down")
def cache_down(rig: Rig) -> Operated:
    with servers.running("redis") as redis:
        service = rig.serve(
            SERVICE_VALIDATION="introspection",
            SERVICE_CACHE_URL=redis.url,
            SERVICE_CACHE_SECRET=SECRET,
            **CREDENTIALS,
        )
        assert 200 == service.get(rig.issuer.token()).status
        redis.stop()
        assert 200 == service.get(rig.issuer.token()).status
    return service


@provokes("An entry of the deny list does not reach the other processes")
def deny_list_stale(rig: Rig) -> Operated:
    with servers.running("redis") as redis:
        service = rig.serve(SERVICE_CACHE_URL=redis.url, SERVICE_CACHE_SECRET=SECRET)
        service.get(rig.issuer.token())
        redis.stop()
        added = service.administer("/deny-list", body=b'{"jti": "one"}')
        assert (201, False) == (added.status, added.json()["shared"])
    return service


@provokes("The deny list cannot be saved")
def deny_list_not_saved(rig: Rig) -> Operated:
    folder = rig.folder / "state"
    folder.mkdir()
    service = rig.serve(SERVICE_DENY_LIST_FILE=str(folder / "deny-list.json"))
    denied = rig.issuer.mint()
    service.get(denied.token)
    folder.rmdir()
    added = service.administer("/deny-list", body=json.dumps({"jti": denied.claims["jti"]}).encode())
    assert (201, False) == (added.status, added.json()["saved"])
    service.get(denied.token)
    return service


@provokes("A DPoP proof is recorded in one process only")
def unshared_proof(rig: Rig) -> Operated:
    with servers.running("redis") as redis:
        service = rig.serve(
            SERVICE_CACHE_URL=redis.url, SERVICE_CACHE_SECRET=SECRET, SERVICE_DPOP_REQUIRES_CACHE="true"
        )
        key = DPoPClient()
        token = rig.issuer.token(dpop_jkt=key.thumbprint)
        url = f"{service.api}/api/whoami"
        headers = {"Authorization": f"DPoP {token}"}
        assert 200 == service.get(**headers, DPoP=key.proof("GET", url, access_token=token)).status
        redis.stop()
        assert 503 == service.get(**headers, DPoP=key.proof("GET", url, access_token=token)).status
    return service


@provokes("A worker dies")
def dead_worker(rig: Rig) -> Operated:
    service = rig.serve()
    service.get(rig.issuer.token())
    (worker,) = service.workers
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: service.workers not in ([], [worker]))
    service.get(rig.issuer.token())
    return service


@provokes("A worker hangs")
def hanging_worker(rig: Rig) -> Operated:
    service = rig.serve(SERVICE_WORKER_TIMEOUT="1")
    service.get(rig.issuer.token())
    (worker,) = service.workers
    os.kill(worker, signal.SIGSTOP)
    eventually(lambda: service.workers not in ([], [worker]))
    service.get(rig.issuer.token())
    return service


@provokes("No worker can start any more")
def no_worker(rig: Rig) -> Operated:
    (rig.folder / "things.py").write_text("ROUTES = []")
    service = rig.serve(SERVICE_ROUTES="things:ROUTES", PYTHONPATH=str(rig.folder))
    (worker,) = eventually(lambda: service.api and service.workers)
    (rig.folder / "things.py").write_text("half an upgr")
    os.kill(worker, signal.SIGKILL)
    assert 1 == service.process.wait(60)
    return service


@provokes("The folder of the metrics was removed")
def removed_metrics(rig: Rig) -> Operated:
    temporary = rig.folder / "temporary"
    temporary.mkdir()
    service = rig.serve(TMPDIR=str(temporary))
    token = rig.issuer.token()
    service.get(token)
    (folder,) = temporary.glob("resource-server-metrics-*")
    shutil.rmtree(folder)
    service.get(token)
    (worker,) = service.workers
    os.kill(worker, signal.SIGKILL)
    assert 1 == service.process.wait(60)
    return service


@provokes("A reload fails")
def failed_reload(rig: Rig) -> Operated:
    (rig.folder / ".okta.env").write_text("SERVICE_LEEWAY=60")
    service = rig.serve()
    service.get(rig.issuer.token())
    (rig.folder / ".okta.env").write_text("SERVICE_LEEWAY=soon")
    service.process.send_signal(signal.SIGHUP)
    service.wait_for("reload failed")
    service.get(rig.issuer.token())
    return service


@provokes("The certificate does not match its key")
def mismatched_certificate(rig: Rig) -> Operated:
    authority = Authority(rig.folder)
    first, second = authority.issue("localhost"), authority.issue("other.example")
    service = rig.serve(
        SERVICE_CERTFILE=str(first.file), SERVICE_KEYFILE=str(first.key_file), SERVICE_FILE_CHECK_INTERVAL="0.1"
    )
    url = service.api.replace("127.0.0.1", "localhost") + "/api/whoami"
    arguments = ("--cacert", str(authority.file), "-H", f"Authorization: Bearer {rig.issuer.token()}", url)
    assert 200 == curl(*arguments)[0]
    first.file.write_bytes(second.file.read_bytes())
    service.wait_for("TLS certificate not reloaded")
    service.statuses.add(curl(*arguments)[0])
    return service


@provokes("The certificate has expired")
def expired_certificate(rig: Rig) -> Operated:
    authority, now = Authority(rig.folder), dt.datetime.now(dt.UTC)
    expired = authority.issue("localhost", not_before=now - dt.timedelta(days=90), not_after=now - dt.timedelta(days=1))
    service = rig.serve(SERVICE_CERTFILE=str(expired.file), SERVICE_KEYFILE=str(expired.key_file))
    url = service.api.replace("127.0.0.1", "localhost")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        curl("--cacert", str(authority.file), url)
    assert "certificate has expired" in failed.value.stderr
    return service


@provokes("No file descriptors are left")
def descriptors(rig: Rig) -> Operated:
    service = rig.serve(SERVICE_HEADER_TIMEOUT="60")
    address = ("127.0.0.1", int(service.api.rpartition(":")[2]))
    service.get(rig.issuer.token())
    (worker,) = service.workers
    used = len(list(Path(f"/proc/{worker}/fd").iterdir()))
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 4, 4096))
    clients = [socket.create_connection(address) for _ in range(20)]
    try:
        service.wait_for("accepting connections paused")
    finally:
        for client in clients:
            client.close()
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (4096, 4096))
    eventually(lambda: service.get(path="/healthz").status == 200)
    return service
