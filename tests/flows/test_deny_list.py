"""What the deny list survives, what it denies, and what an attacker with access to the shared cache can do."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import servers
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from prices import ROUTES
from programs import Start, curl, free_port, listening
from supervised import workers_of
from tornado.httpclient import AsyncHTTPClient

import fakeissuer
from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.caches import shared
from service.caches.deny_list import DenyEntry, UnknownIssuer
from service.operations.processes.drain import serving
from service.operations.sockets.bound import bind

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
TOKEN = "operators-only-0123456789-abcdefghij"
ADMIN = ["-H", f"Authorization: Bearer {TOKEN}"]
FAR = 4_000_000_000.0


@pytest.fixture(autouse=True)
def _long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the server even if the machine is busy."""
    monkeypatch.setattr(shared, "TIMEOUT", 1.0)


@pytest.fixture
def server() -> Iterator[servers.CacheServer]:
    with servers.running("redis") as running:
        yield running


@asynccontextmanager
async def _running(issuer: RunningIssuer, **terms: Any) -> AsyncIterator[tuple[ResourceServerApplication, str]]:
    service = make_app(Settings(**({"issuer": issuer.issuer_url()} | terms)))
    async with serving(service, bind("127.0.0.1", 0)) as url:
        yield service, url


async def _status(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await AsyncHTTPClient().fetch(f"{url}/api/whoami", headers=headers, raise_error=False)).code


def _entry(kind: str, value: str, issuer: str | None = None) -> DenyEntry:
    return DenyEntry(kind=kind, value=value, issuer=issuer, expires_at=FAR)


@pytest.mark.parametrize("validation", ["jwt", "introspection", "hybrid"])
@pytest.mark.gen_test
async def test_an_issuer_can_be_denied_in_every_mode(validation: str, fake_issuer: RunningIssuer) -> None:
    async with _running(fake_issuer, validation=validation, **CLIENT) as (service, url):
        known = fake_issuer.token()
        assert 200 == await _status(url, known)
        await service.deny_list.add(_entry("iss", fake_issuer.issuer_url()))
        assert [401, 401] == [await _status(url, token) for token in (known, fake_issuer.token())]
        await service.deny_list.remove("iss", fake_issuer.issuer_url(), None)
        assert 200 == await _status(url, known)


@pytest.mark.gen_test
async def test_an_opaque_token_of_a_denied_issuer_is_rejected(fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("introspect", status=200, body=json.dumps({"active": True, "aud": "api://default", "exp": FAR}))
    async with _running(fake_issuer, validation="introspection", **CLIENT) as (service, url):
        await service.deny_list.add(_entry("iss", fake_issuer.issuer_url()))
        assert 401 == await _status(url, "an-opaque-token")


@pytest.mark.parametrize("validation", ["jwt", "introspection", "hybrid"])
@pytest.mark.gen_test
async def test_the_tokens_of_a_compromised_key_can_be_denied(validation: str, fake_issuer: RunningIssuer) -> None:
    async with _running(fake_issuer, validation=validation, **CLIENT) as (service, url):
        known = fake_issuer.token()
        assert 200 == await _status(url, known)
        (active,) = [key.kid for key in fake_issuer.keys() if key.status == "ACTIVE"]
        await service.deny_list.add(_entry("kid", active, fake_issuer.issuer_url()))
        assert [401, 401] == [await _status(url, token) for token in (known, fake_issuer.token())]
        fake_issuer.rotate()
        assert 200 == await _status(url, fake_issuer.token())


@pytest.mark.gen_test
async def test_a_token_that_does_not_name_its_denied_key_is_rejected(fake_issuer: RunningIssuer) -> None:
    async with _running(fake_issuer, validation="jwt", **CLIENT) as (service, url):
        token = fake_issuer.token(header={"kid": None})
        assert 200 == await _status(url, token)
        (active,) = [key.kid for key in fake_issuer.keys() if key.status == "ACTIVE"]
        await service.deny_list.add(_entry("kid", active, fake_issuer.issuer_url()))
        assert 401 == await _status(url, token)


@pytest.mark.parametrize("kind", ["iss", "kid"])
@pytest.mark.gen_test
async def test_sockets_of_a_denied_issuer_or_key_close_although_the_issuer_is_unavailable(
    kind: str, fake_issuer: RunningIssuer, open_socket: Callable[..., Awaitable[Any]]
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), validation="introspection", **CLIENT)  # type: ignore[arg-type]  # texts
    service = make_app(settings, routes=ROUTES)
    async with serving(service, bind("127.0.0.1", 0)) as url:
        token = fake_issuer.token(scp="api:read")
        socket = await open_socket(f"{url}/prices/socket", Authorization=f"Bearer {token}")
        for endpoint in ("introspect", "keys", "discovery"):
            fake_issuer.fail(endpoint, drop=True)
        (active,) = [key.kid for key in fake_issuer.keys() if key.status == "ACTIVE"]
        await service.deny_list.add(_entry(kind, fake_issuer.issuer_url() if kind == "iss" else active))
        assert await asyncio.wait_for(socket.read_message(), 10) is None
        assert 4401 == socket.close_code


@pytest.mark.gen_test
async def test_a_withdrawn_key_is_rejected_everywhere_after_one_call(
    fake_issuer: RunningIssuer, server: servers.CacheServer
) -> None:
    terms = {"validation": "jwt", "cache_url": server.url} | CLIENT
    async with _running(fake_issuer, **terms) as (here, url), _running(fake_issuer, **terms) as (_, other_url):
        token = fake_issuer.token()
        assert [200, 200] == [await _status(each, token) for each in (url, other_url)]
        (active,) = [key.kid for key in fake_issuer.keys() if key.status == "ACTIVE"]
        fake_issuer.rotate()
        fake_issuer.withdraw(active)
        assert [200, 200] == [await _status(each, token) for each in (url, other_url)]
        results, reach = await here.deny_list.refresh_key_sets(fake_issuer.issuer_url())
        assert ({fake_issuer.issuer_url(): True}, True) == (results, reach.shared)
        assert 401 == await _status(url, token)
        await asyncio.sleep(1.5)
        assert 401 == await _status(other_url, token)
        fake_issuer.fail("keys", drop=True)
        assert ({fake_issuer.issuer_url(): False}) == (await here.deny_list.refresh_key_sets(None))[0]
        with pytest.raises(UnknownIssuer, match=re.escape(fake_issuer.issuer_url())):
            await here.deny_list.refresh_key_sets("https://unknown.example")
        assert 200 == await _status(url, fake_issuer.token())


@pytest.fixture(params=["client_secret", "private_key"])
def credentials(request: pytest.FixtureRequest, fake_issuer: RunningIssuer, tmp_path: Path) -> dict[str, str]:
    """Return the credentials of an API at the issuer."""
    if request.param == "client_secret":
        return CLIENT
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    jwk = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    fake_issuer.put("clients", "key-app", name="key-app", jwks={"keys": [jwk]}, auth_methods=["private_key_jwt"])
    return {"client_id": "key-app", "private_key_file": str(tmp_path / "key.pem")}


@pytest.mark.gen_test
async def test_an_attacker_with_access_to_redis_makes_no_revoked_token_good(
    fake_issuer: RunningIssuer, server: servers.CacheServer, credentials: dict[str, str]
) -> None:
    attacker = redis.Redis(port=server.port)
    good, revoked = fake_issuer.token(), fake_issuer.token()
    fake_issuer.revoke(revoked)
    terms = {"validation": "introspection", "cache_url": server.url} | credentials
    async with _running(fake_issuer, **terms) as (_, url):
        assert 200 == await _status(url, good)
        (key_of_good,) = await _responses(attacker, 1)
        sealed = attacker.get(key_of_good)
        assert isinstance(sealed, bytes)
        assert 401 == await _status(url, revoked)
        (key_of_revoked,) = await _responses(attacker, 2) - {key_of_good}
    response = json.dumps({"response": {"active": True, "aud": "api://default"}, "at": time.time()}).encode()
    for forged in (sealed, response, sealed[:64] + response, json.dumps(sealed.decode()).encode(), b"\xff"):
        attacker.set(key_of_revoked, forged)
        async with _running(fake_issuer, **terms) as (_, url):  # another process
            assert 401 == await _status(url, revoked)
            assert 200 == await _status(url, good)
    attacker.close()


@pytest.mark.gen_test
async def test_an_attacker_with_access_to_redis_removes_no_entry(
    fake_issuer: RunningIssuer, server: servers.CacheServer
) -> None:
    attacker = redis.Redis(port=server.port)
    terms = {"validation": "jwt", "cache_url": server.url} | CLIENT
    token = fake_issuer.token(sub="mallory@example.com")
    async with _running(fake_issuer, **terms) as (service, url):
        await service.deny_list.add(_entry("sub", "another"))
        before = _values(attacker)
        await service.deny_list.add(_entry("sub", "mallory@example.com"))
        after = _values(attacker)

        def replay() -> None:
            attacker.flushall()
            for key, value in before.items():
                attacker.set(key, value)

        def exchange() -> None:
            for key, value in zip(after, reversed(after.values()), strict=True):
                attacker.set(key, value)

        def mark_as_removed() -> None:
            for key, value in after.items():
                attacker.set(key, value.replace(b"false", b"true"))

        for attack in (attacker.flushall, replay, exchange, mark_as_removed):
            attack()
            await service.deny_list.refresh()
            async with _running(fake_issuer, **terms) as (_, other_url):
                assert [401, 401] == [await _status(each, token) for each in (url, other_url)]
    attacker.close()


async def _responses(client: Any, count: int) -> set[bytes]:
    """Return the keys of the introspection responses, once there are so many; they are stored in the background."""
    while len(keys := {key for key in _values(client) if b"deny-list" not in key}) < count:  # noqa: ASYNC110  # Redis
        await asyncio.sleep(0.01)
    return keys


def _values(client: Any) -> dict[bytes, bytes]:
    """Return what the server holds, without the locks of requests in progress."""
    return {key: client.get(key) for key in client.keys("*") if not key.endswith(b":lock")}


def test_after_a_flush_and_the_end_of_a_worker_no_process_accepts_a_denied_user(start: Start) -> None:
    port = free_port()
    with servers.running("redis") as cache, fakeissuer.running() as issuer:
        process = start(
            "service", "--processes", "2", "--port", "0", "--admin-port", str(port),
            SERVICE_CACHE_URL=cache.url, SERVICE_ADMIN_TOKEN=TOKEN, OKTA_OAUTH2_ISSUER=issuer.issuer_url(),
            SERVICE_LOG_LEVEL="error",  # a log that is not read would fill its pipe and stop the processes
        )  # fmt: skip
        url, tokens = listening(process), [issuer.token(sub=f"user-{number}@example.com") for number in range(3)]
        for number in range(3):
            body = json.dumps({"sub": f"user-{number}@example.com"})
            status, text = curl("-d", body, *ADMIN, f"http://127.0.0.1:{port}/deny-list")
            assert (201, True) == (status, json.loads(text)["shared"])
        with redis.Redis(port=cache.port) as client:
            client.flushall()
        time.sleep(2.5)  # the processes have restored the entries, and no request has reminded them
        os.kill(max(workers_of(process.pid)), signal.SIGKILL)
        statuses = []
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for token in tokens:
                with_token = ["-H", f"Authorization: Bearer {token}", "-H", "Connection: close", f"{url}/api/whoami"]
                statuses.append(curl("--retry", "2", "--retry-all-errors", *with_token)[0])
        assert 200 not in statuses
        assert 401 in statuses
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_one_process_with_a_file_denies_after_a_restart(start: Start, tmp_path: Path) -> None:
    with fakeissuer.running() as issuer:
        token, port = issuer.token(sub="mallory@example.com"), free_port()
        options = ("service", "--port", "0", "--admin-port", str(port), "--issuer", issuer.issuer_url())
        variables = {
            "SERVICE_ADMIN_TOKEN": TOKEN,
            "SERVICE_DENY_LIST_FILE": str(tmp_path / "deny.json"),
        }
        first = start(*options, **variables)
        listening(first)
        status, text = curl("-d", '{"sub": "mallory@example.com"}', *ADMIN, f"http://127.0.0.1:{port}/deny-list")
        assert (201, False, True) == (status, json.loads(text)["shared"], json.loads(text)["saved"])
        first.kill()
        first.communicate(timeout=20)
        second = start(*options, **variables)
        assert 401 == curl("-H", f"Authorization: Bearer {token}", f"{listening(second)}/api/whoami")[0]
        second.kill()
        second.communicate(timeout=20)
        (tmp_path / "deny.json").write_text("{}")
        damaged = start(*options, **variables)
        _, err = damaged.communicate(timeout=20)
        assert 2 == damaged.returncode
        assert "deny_list_file" in err
        assert "Traceback" not in err
