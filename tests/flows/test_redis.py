"""Redis as people run it: users, databases, TLS, Sentinels, clusters, failover, and every failure by its name."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from certificates import Authority, Certificate
from programs import Start
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.caches import shared
from service.caches.shared import SharedCache, open_cache
from service.clock import SystemClock
from service.operations.doctor.network import cache as cache_check
from service.operations.doctor.network.cache import check_cache, find_failure
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings

KEY = b"k" * 32
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "shared-cache.rst"


@pytest.fixture(autouse=True)
def _long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the servers even if the machine is busy."""
    monkeypatch.setattr(shared, "TIMEOUT", 3.0)
    monkeypatch.setattr(shared, "ADD_TIMEOUT", 3.0)
    monkeypatch.setattr(shared, "PATIENT_TIMEOUT", 3.0)


Connect = Callable[..., SharedCache]


@pytest.fixture
def connect(io_loop: IOLoop) -> Iterator[Connect]:
    """Return a function that opens a cache, as each process does."""
    opened: list[SharedCache] = []

    def open_one(url: str, ca_file: Path | None = None) -> SharedCache:
        opened.append(open_cache(url, clock=SystemClock(), key=KEY, ca_file=None if ca_file is None else str(ca_file)))
        return opened[-1]

    yield open_one
    for cache in opened:
        io_loop.run_sync(cache.close)


@pytest.fixture(scope="module")
def redis() -> Iterator[servers.CacheServer]:
    with servers.running("redis") as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Certificate:
    return authority.issue("client.example")


@pytest.fixture(scope="module")
def encrypted(authority: Authority) -> Iterator[servers.CacheServer]:
    with servers.redis_with_tls(authority) as server:
        yield server


async def _works(cache: SharedCache) -> None:
    """Store and read values through each command of the service."""
    error = await find_failure(cache._backend)
    if error is not None:
        raise error
    values = {f"key:{number}": number for number in range(20)}
    assert await cache.set_many(values)
    assert list(values.values()) == await cache.get_many(list(values))
    assert [True, False] == [await cache.add("once", seconds=60), await cache.add("once", seconds=60)]
    assert 0 == cache.failures


async def _until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def _acl_of_the_page(*further: str) -> list[str]:
    """Return the rules of the user that the documentation shows, with those that it adds elsewhere."""
    text = PAGE.read_text("utf-8")
    line = re.search(r"ACL SETUSER name on >password (.*)", text)
    assert line is not None
    assert all(f"``{rule}``" in text for rule in further)
    return [*line[1].split(), *further]


@pytest.mark.gen_test
async def test_a_user_needs_the_documented_permissions_only(redis: servers.CacheServer, connect: Connect) -> None:
    redis.cli("ACL", "SETUSER", "us@er", "reset", "on", ">p/w?#", *_acl_of_the_page())
    await _works(connect(f"redis://us%40er:p%2Fw%3F%23@{redis.address}/1"))


@pytest.mark.gen_test
async def test_the_default_user_has_a_password_alone(connect: Connect) -> None:
    with servers.running("redis", "--requirepass", "a:b@c") as server:
        await _works(connect(f"redis://:a:b%40c@{server.address}"))


@pytest.mark.parametrize("suffix", ["/2", "?db=2", "/2?db=2", "/?db=2"])
@pytest.mark.gen_test
async def test_a_database_is_named_in_the_path_or_the_query(
    suffix: str, redis: servers.CacheServer, connect: Connect
) -> None:
    redis.cli("FLUSHALL")
    cache = connect(redis.url + suffix)
    await _works(cache)
    counts = [int(redis.cli("-n", str(number), "DBSIZE")) for number in range(4)]
    assert [0, 0, 21, 0] == counts


@pytest.mark.gen_test
async def test_a_server_with_tls_is_verified_and_verifies_the_client(
    encrypted: servers.CacheServer, authority: Authority, client: Certificate, connect: Connect
) -> None:
    files = f"ssl_certfile={client.file}&ssl_keyfile={client.key_file}"
    await _works(connect(f"rediss://localhost:{encrypted.port}/4?{files}", authority.file))
    other = f"rediss://localhost:{encrypted.port}/5?{files}&ssl_ca_certs={authority.file}"
    await _works(connect(other, client.file))


@pytest.mark.gen_test
async def test_a_burst_of_requests_is_no_outage(redis: servers.CacheServer, connect: Connect) -> None:
    cache = connect(redis.url)
    outcomes = await asyncio.gather(*(cache.add(f"burst:{number}", seconds=60) for number in range(500)))
    assert ([True] * 500, 0) == (outcomes, cache.failures)
    assert len(redis.cli("CLIENT", "LIST").splitlines()) < 100


@pytest.mark.gen_test
async def test_sentinels_lead_to_the_primary_and_after_a_failover_to_the_next_one(
    connect: Connect, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(servers.running("redis", "--repl-diskless-sync-delay", "0"))
        replica = stack.enter_context(
            servers.running(
                "redis", "--dir", str(tmp_path), "--replicaof", "127.0.0.1", str(primary.port),
                "--repl-diskless-load", "swapdb",
            )
        )  # fmt: skip
        sentinel = stack.enter_context(servers.sentinel(tmp_path, primary))
        cache = connect(f"redis+sentinel://127.0.0.1:1,{sentinel.address}/main/3")
        await _works(cache)

        async def has_replica() -> bool:
            return "num-slaves\n1\n" in sentinel.cli("SENTINEL", "MASTER", "main") and (
                "1" == replica.cli("-n", "3", "EXISTS", "resource-server:key:5")
            )

        async def has_recovered() -> bool:
            return await cache.set_many({"after": 1}) and await servers.responds(cache)

        await _until(has_replica)
        primary.stop()
        await _until(has_recovered)
        assert [5, 1] == await cache.get_many(["key:5", "after"])
        assert "role:master" in replica.cli("INFO", "replication")


@pytest.mark.gen_test
async def test_sentinels_may_have_tls_and_a_password_of_their_own(
    authority: Authority, client: Certificate, connect: Connect, tmp_path: Path
) -> None:
    lines = ("requirepass of-sentinel", "sentinel auth-pass main of-data")
    names = ("127.0.0.1", "localhost")  # the Sentinels name the primary by its address
    with (
        servers.redis_with_tls(authority, "--requirepass", "of-data", names=names) as primary,
        servers.sentinel(tmp_path, primary, *lines, tls=servers.tls_lines(authority, *names)) as sentinel,
    ):
        files = f"ssl_certfile={client.file}&ssl_keyfile={client.key_file}&ssl_ca_certs={authority.file}"
        url = f"rediss+sentinel://:of-data@localhost:{sentinel.port}/main?sentinel_password=of-sentinel&{files}"
        await _works(connect(url))


@pytest.mark.gen_test
async def test_a_name_that_leads_to_another_server_after_a_failover_is_looked_up_again(connect: Connect) -> None:
    with servers.running("redis") as old, servers.running("redis") as new:
        target = [old.port]

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", target[0])

            async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                while octets := await source.read(4096):
                    sink.write(octets)
                sink.close()

            await asyncio.gather(copy(reader, other_writer), copy(other_reader, writer), return_exceptions=True)

        name = await asyncio.start_server(forward, "127.0.0.1", 0)
        cache = connect(f"redis://127.0.0.1:{name.sockets[0].getsockname()[1]}")
        await _works(cache)
        old.cli("REPLICAOF", "127.0.0.1", str(new.port))
        target[0] = new.port
        assert not await cache.set_many({"a": 1})  # on the connection to the old primary
        assert await cache.set_many({"a": 2})
        assert "1" == new.cli("EXISTS", "resource-server:a")
        await cache.close()
        name.close()


@pytest.mark.gen_test
async def test_a_cluster_is_found_through_any_node_and_recovers(connect: Connect, tmp_path: Path) -> None:
    with servers.cluster(tmp_path, 2) as nodes:
        for node in nodes:
            node.cli("ACL", "SETUSER", "one", "reset", "on", ">secret", *_acl_of_the_page("+cluster|slots", "+command"))
        await _works(connect(f"redis+cluster://one:secret@{nodes[0].address}"))
        cache = connect(f"redis+cluster://127.0.0.1:1,{nodes[1].address}")
        assert await cache.set_many({"key:1": 1})
        assert all(int(node.cli("DBSIZE")) > 0 for node in nodes)
        for node in nodes:
            node.stop()
        assert await cache.get_many(["key:1"]) is None
        assert not await servers.responds(cache)
        for node in nodes:
            node.start()
        servers.wait_for_cluster(nodes)

        async def has_recovered() -> bool:
            return await cache.set_many({f"again:{number}": number for number in range(20)})

        await _until(has_recovered)
        await _until(lambda: servers.responds(cache))
        assert [7] == await cache.get_many(["again:7"])


@pytest.mark.gen_test
async def test_a_full_memory_fails_writes_only_and_recovers(connect: Connect) -> None:
    with servers.running("redis", "--maxmemory-policy", "noeviction") as server:
        cache = connect(server.url)
        assert await cache.set_many({"a": 1})
        server.cli("CONFIG", "SET", "maxmemory", "1")
        assert not await cache.set_many({"a": 2})
        assert [1] == await cache.get_many(["a"])
        server.cli("CONFIG", "SET", "maxmemory", "0")
        assert await cache.set_many({"a": 3})


FAILURES: dict[str, tuple[str, Outcome | None, str]] = {
    "nothing listens": ("redis://127.0.0.1:1", Outcome.WARN, "nothing listens at its address"),
    "nothing listens for memcached": ("memcached://127.0.0.1:1", Outcome.WARN, "nothing listens at its address"),
    "no such host": ("redis://no-such-host.invalid", Outcome.FAIL, "its host name does not resolve"),
    "no password": ("redis://{locked}", Outcome.FAIL, "it requires a password"),
    "a wrong password": ("redis://:wrong-secret@{locked}", Outcome.FAIL, "rejects the user name or the password"),
    "a wrong user": ("redis://nu:wrong-secret@{locked}", Outcome.FAIL, "rejects the user name or the password"),
    "a password too much": ("redis://:wrong-secret@{plain}", Outcome.FAIL, "it has no password, and cache_url has one"),
    "too few permissions": ("redis://few:few@{locked}", Outcome.FAIL, "the user lacks a permission"),
    "no such database": ("redis://{plain}/9999", Outcome.FAIL, "it has no database with that number"),
    "a replica": ("redis://{replica}", Outcome.WARN, "it is a read-only replica"),
    "a full memory": ("redis://{full}", Outcome.FAIL, "its memory is full"),
    "too few replicas": ("redis://{careful}", Outcome.WARN, "it has too few replicas"),
    "tls without tls": ("rediss://{plain}", None, "use redis://"),
    "no tls with tls": ("redis://{encrypted}", Outcome.WARN, "use rediss:// if this port is for TLS"),
    "an unknown authority": ("rediss://{encrypted}", Outcome.FAIL, "its certificate is not trusted"),
    "another host name": (
        "rediss://{encrypted}?ssl_ca_certs={ca}",
        Outcome.FAIL,
        "or is for another host name",
    ),
    "no client certificate": ("rediss://localhost:{tls_port}?ssl_ca_certs={ca}", None, "?ssl_certfile=PATH"),
    "a server for a cluster": ("redis+cluster://{plain}", Outcome.FAIL, "it is not part of a cluster"),
    "a locked cluster": ("redis+cluster://{locked}", Outcome.FAIL, "it requires a password"),
    "no cluster": ("redis+cluster://127.0.0.1:1", Outcome.WARN, "nothing listens at its address"),
    "a cluster without keys": ("redis+cluster://{node}", Outcome.WARN, "the cluster is down"),
    "a node for a server": ("redis://{node}", Outcome.WARN, "the cluster is down"),
    "a server for a sentinel": ("redis+sentinel://{plain}/main", Outcome.FAIL, "it is no Sentinel"),
    "a sentinel for a server": ("redis://{sentinel}", Outcome.FAIL, "is it a Sentinel?"),
    "an unknown primary": ("redis+sentinel://{sentinel}/other", Outcome.FAIL, "the Sentinels know no primary"),
    "no sentinel": ("redis+sentinel://127.0.0.1:1/main", Outcome.WARN, "and some do not respond"),
    "a locked sentinel": ("redis+sentinel://{guarded}/main", Outcome.FAIL, "the Sentinels reject the login"),
    "a server that hangs": ("redis://{hanging}", Outcome.WARN, "it does not respond in time"),
    "a server that closes": ("redis://{closing}", Outcome.WARN, "it closes the connection"),
    "a web server": ("redis://{web}", Outcome.FAIL, "it speaks another protocol"),
}


@pytest.fixture(scope="module")
def addresses(
    redis: servers.CacheServer, encrypted: servers.CacheServer, authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:  # fmt: skip
    folder, guarded = tmp_path_factory.mktemp("servers"), tmp_path_factory.mktemp("guarded")
    with contextlib.ExitStack() as stack:

        def run(*options: str) -> servers.CacheServer:
            return stack.enter_context(servers.running("redis", *options))

        started = {
            "locked": run("--requirepass", "right"),
            "replica": run("--replicaof", "127.0.0.1", "1"),
            "full": run("--maxmemory", "1"),
            "careful": run("--min-replicas-to-write", "1"),
            "node": run("--cluster-enabled", "yes", "--dir", str(folder)),
            "sentinel": stack.enter_context(servers.sentinel(folder, redis)),
            "guarded": stack.enter_context(servers.sentinel(guarded, redis, "requirepass guarded")),
            "plain": redis,
            "encrypted": encrypted,
        }
        rules = ("reset", "on", ">few", "~resource-server:*", "+get", "+set", "+del")
        started["locked"].cli("--no-auth-warning", "-a", "right", "ACL", "SETUSER", "few", *rules)
        tls = {"ca": str(authority.file), "tls_port": str(encrypted.port)}
        yield {name: server.address for name, server in started.items()} | tls


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _serve_web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


OTHER_SERVERS = {"hanging": _hang, "closing": _close, "web": _serve_web}


async def _check(url: str) -> Finding:
    settings: dict[str, Any] = {"issuer": "https://dev-1.okta.com/oauth2/default", "cache_url": url}
    return await check_cache(Settings(**settings, cache_secret="s" * 32), clock=SystemClock())  # type: ignore[arg-type]  # made a secret


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.gen_test
async def test_every_failure_is_named_with_what_to_do(
    name: str, addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, outcome, words = FAILURES[name]
    if outcome is not Outcome.FAIL:
        monkeypatch.setattr(cache_check, "TIMEOUT", 1.0)  # some of them never respond
    made = {}
    for kind, serve in OTHER_SERVERS.items():
        made[kind] = await asyncio.start_server(serve, "127.0.0.1", 0)
    others = {kind: f"127.0.0.1:{server.sockets[0].getsockname()[1]}" for kind, server in made.items()}
    finding = await _check(url.format(**addresses, **others))
    for server in made.values():
        server.close()
    assert words in finding.line()
    # Without one, a random octet decides what the server makes of the handshake, and whether its alert arrives.
    assert finding.outcome in ({Outcome.WARN, Outcome.FAIL} if outcome is None else {outcome}), finding.line()
    assert finding.advice
    assert "wrong-secret" not in finding.line()


def test_the_command_names_a_wrong_password_without_showing_it(
    start: Start, fake_issuer: RunningIssuer, addresses: dict[str, str]
) -> None:
    url = f"redis://:wrong-secret@{addresses['locked']}"
    variables = {"SERVICE_CACHE_URL": url, "SERVICE_CACHE_SECRET": "s" * 32}
    program = start("service", "check", "--issuer", fake_issuer.issuer_url(), **variables)
    output, errors = program.communicate(timeout=60)
    (line,) = [line for line in output.splitlines() if "shared cache" in line]
    assert line.startswith("fail    shared cache: redis, it rejects the user name or the password; the service")
    assert (1, False) == (program.returncode, "wrong-secret" in output + errors)


def test_what_is_not_supported_is_refused_at_the_start(start: Start, fake_issuer: RunningIssuer) -> None:
    url = "redis://127.0.0.1/0?socket_timeout=5"
    program = start(
        "service",
        "--issuer",
        fake_issuer.issuer_url(),
        "--port",
        "0",
        SERVICE_CACHE_URL=url,
        SERVICE_CACHE_SECRET="s" * 32,
    )
    _, errors = program.communicate(timeout=60)
    reason = "cache_url: its parameter socket_timeout is not supported: the service has time limits of its own"
    assert (2, True) == (program.returncode, reason in errors), errors
