"""One client cannot stop the introspection of other clients' tokens, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app
from service.clock import ManualClock

SETTINGS: dict[str, Any] = {
    "audience": "api://default",
    "validation": "introspection",
    "client_id": "0oaapi00000000000001",
    "client_secret": "api-secret-for-tests-only-00000000001",
}


@dataclass
class Firewall:
    """An introspection endpoint whose response depends on the token: its first word is an entry of ``responses``."""

    responses: dict[str, int] = field(default_factory=dict)
    """Statuses for the first word of a token; 0 closes the connection, and -1 never responds."""
    status: int = 200
    """The status for every other token."""
    delay: float = 0.0
    tokens: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    def count(self, word: str) -> int:
        return sum(token.startswith(word) for token in self.tokens)


class Introspect(tornado.web.RequestHandler):
    def initialize(self, *, firewall: Firewall, issuer: str) -> None:
        self.firewall, self.issuer = firewall, issuer

    async def post(self) -> None:
        firewall, token = self.firewall, self.get_body_argument("token")
        firewall.tokens.append(token)
        firewall.running += 1
        firewall.most_running = max(firewall.most_running, firewall.running)
        await asyncio.sleep(firewall.delay)
        firewall.running -= 1
        status = firewall.responses.get(token.partition("-")[0], firewall.status)
        if status == 0:
            self.detach().close()
        elif status == -1:
            await asyncio.sleep(5)
        else:
            self.set_status(status)
            active = {"active": True, "iss": self.issuer, "aud": "api://default", "exp": 4_000_000_000, "iat": 0}
            self.write(active if token.startswith("good") else {"active": False})


Response = tuple[int, dict[str, Any], dict[str, str]]


@pytest.fixture
def firewall(io_loop: IOLoop, fake_issuer: RunningIssuer) -> Iterator[Firewall]:
    firewall, issuer = Firewall(), fake_issuer.issuer_url()
    application = tornado.web.Application(
        [(r"/introspect", Introspect, {"firewall": firewall, "issuer": issuer})], log_function=lambda _: None
    )
    server = HTTPServer(application)
    yield _listen(server, firewall, fake_issuer)
    server.stop()


def _listen(server: HTTPServer, firewall: Firewall, issuer: RunningIssuer) -> Firewall:
    server.listen(0, "127.0.0.1")
    (listening,) = server._sockets.values()
    endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}/introspect"
    document = {"issuer": issuer.issuer_url(), "introspection_endpoint": endpoint}
    issuer.fail("discovery", status=200, body=document)
    return firewall


@pytest.fixture
def start(
    fake_issuer: RunningIssuer, manual_clock: ManualClock, listen: Callable[[ResourceServerApplication], str]
) -> Callable[..., Callable[..., Any]]:
    """Return a function that starts a service, and returns a function that sends a token to it from an address."""

    def starting(**settings: Any) -> Callable[..., Any]:
        terms = {"issuer": fake_issuer.issuer_url(), **SETTINGS, **settings}
        port = int(listen(make_app(Settings(**terms), clock=manual_clock)).rpartition(":")[2])

        async def send(token: str, *, address: str = "127.0.0.1") -> Response:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            lines = ("GET /api/whoami HTTP/1.1", "Host: api", f"Authorization: Bearer {token}", "Connection: close")
            writer.write("\r\n".join((*lines, "", "")).encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            first, *fields = head.decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
            return int(first.split()[1]), json.loads(body), headers

        return send

    return starting


async def _statuses(send: Callable[..., Any], *tokens: str, address: str = "127.0.0.1") -> list[int]:
    return [response[0] for response in await asyncio.gather(*(send(token, address=address) for token in tokens))]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503, 302, 0, -1])
@pytest.mark.gen_test(timeout=60)
async def test_tokens_that_the_issuer_or_its_firewall_rejects_do_not_stop_introspection_for_others(
    status: int,
    start: Callable[..., Callable[..., Any]],
    firewall: Firewall,
    manual_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 1)
    firewall.responses["odd"] = status
    send = start()
    for number in range(8):
        code, body, headers = await send(f"odd-{number}")
        assert (503, "temporarily_unavailable") == (code, body["error"])
        assert int(headers["retry-after"]) >= 1
        assert 200 == (await send(f"good-{number}"))[0]
    manual_clock.advance(20)
    assert [503] * 8 == await _statuses(send, *[f"odd-{number}" for number in range(10, 18)])
    assert 200 == (await send("good-last"))[0]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.gen_test
async def test_our_credentials_are_rejected_only_if_a_token_of_our_own_is_rejected_as_well(
    status: int,
    start: Callable[..., Callable[..., Any]],
    firewall: Firewall,
    manual_clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send = start()
    assert 200 == (await send("good-1"))[0]
    firewall.status = status
    assert [503] * 3 == [(await send(f"good-{number}"))[0] for number in (2, 3, 4)]
    assert 3 == len(firewall.tokens)  # good-1, good-2, and the token of our own; the rest is paused
    (error,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "rejected our client credentials" in error.getMessage()
    assert 200 == (await send("good-1"))[0]  # cached
    manual_clock.advance(10)
    assert 503 == (await send("good-5"))[0]
    assert 5 == len(firewall.tokens)
    firewall.status = 200
    manual_clock.advance(10)
    assert 200 == (await send("good-5"))[0]


@pytest.mark.gen_test
async def test_after_an_outage_a_token_on_which_the_issuer_fails_does_not_prolong_the_pause(
    start: Callable[..., Callable[..., Any]], firewall: Firewall, manual_clock: ManualClock
) -> None:
    send = start()
    firewall.status, firewall.responses["odd"] = 500, 500
    assert [503] * 4 == [(await send(f"good-{number}"))[0] for number in range(4)]
    assert 3 == len(firewall.tokens)  # two clients' and one of our own
    firewall.status = 200
    manual_clock.advance(2)
    assert [503, 200] == [(await send("odd-1"))[0], (await send("good-3"))[0]]


@pytest.mark.gen_test(timeout=30)
async def test_a_repeated_token_without_a_response_gets_503_at_once_and_no_introspection_request(
    start: Callable[..., Callable[..., Any]], firewall: Firewall, manual_clock: ManualClock
) -> None:
    firewall.responses["odd"] = 500
    send = start()
    for _ in range(20):
        assert 503 == (await send("odd-1"))[0]
    assert 1 == firewall.count("odd")
    manual_clock.advance(3)
    await send("odd-1")
    assert 2 == firewall.count("odd")


@pytest.mark.gen_test(timeout=60)
async def test_a_flood_of_random_tokens_uses_up_neither_the_rate_limit_nor_the_connections(
    start: Callable[..., Callable[..., Any]], firewall: Firewall, manual_clock: ManualClock
) -> None:
    send = start()
    assert 200 == (await send("good-known"))[0]
    manual_clock.advance(60)
    firewall.delay = 0.02
    flood = [asyncio.create_task(send(f"random-{number}")) for number in range(400)]
    while firewall.running < 4:  # noqa: ASYNC110  # the flood has begun
        await asyncio.sleep(0.001)
    # Neither another address nor a token that was active before waits behind the flood.
    others = [send("good-new", address="127.0.0.2"), send("good-known")]
    assert [200, 200] == [response[0] for response in await asyncio.gather(*others)]
    assert not all(task.done() for task in flood)
    assert firewall.count("random") < 200  # the flood's requests of one second
    assert {401: 300, 429: 100} == Counter(response[0] for response in await asyncio.gather(*flood))
    assert 300 == firewall.count("random")
    assert firewall.most_running <= 4 + 2
    code, body, headers = await send("random-again")
    assert (429, "too_many_requests") == (code, body["error"])
    assert "www-authenticate" not in headers
    assert "no-store" == headers["cache-control"]
    assert 1 <= int(headers["retry-after"]) <= 60
    manual_clock.advance(60)
    assert 401 == (await send("random-again"))[0]


@pytest.mark.gen_test(timeout=60)
async def test_active_tokens_do_not_count_against_the_limit_of_their_address(
    start: Callable[..., Callable[..., Any]], firewall: Firewall
) -> None:
    send = start(introspection_rate_limit=3)
    assert [200] * 10 == [(await send(f"good-{number}"))[0] for number in range(10)]
    assert [401, 401, 401, 429] == [(await send(f"random-{number}"))[0] for number in range(4)]
    assert [429, 200] == [(await send("good-new"))[0], (await send("good-new", address="127.0.0.2"))[0]]


@pytest.mark.gen_test(timeout=60)
async def test_without_a_limit_every_token_is_introspected(
    start: Callable[..., Callable[..., Any]], firewall: Firewall
) -> None:
    send = start(introspection_rate_limit=0)
    for first in range(0, 400, 100):
        tokens = [f"random-{number}" for number in range(first, first + 100)]
        assert {401} == set(await _statuses(send, *tokens))


@pytest.mark.gen_test(timeout=60)
async def test_a_client_over_its_limit_does_not_delay_recovery_for_others(
    start: Callable[..., Callable[..., Any]], firewall: Firewall, manual_clock: ManualClock
) -> None:
    send = start(introspection_rate_limit=3)
    assert [401, 401, 401, 429] == [(await send(f"random-{number}"))[0] for number in range(4)]
    firewall.status = 500
    assert [503] * 3 == [(await send(f"good-{number}", address="127.0.0.2"))[0] for number in range(3)]
    firewall.status = 200
    manual_clock.advance(2)
    assert 429 == (await send("random-5"))[0]
    assert 200 == (await send("good-3", address="127.0.0.3"))[0]


class Echo(BearerAuthMixin, WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.reauthenticate(str(message))
        await self.write_message("ok")


@pytest.mark.gen_test(timeout=60)
async def test_tokens_in_the_messages_of_a_websocket_count_against_the_limit(
    fake_issuer: RunningIssuer,
    firewall: Firewall,
    manual_clock: ManualClock,
    listen: Callable[[ResourceServerApplication], str],
    open_socket: Callable[..., Any],
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), introspection_rate_limit=3, **SETTINGS)
    url = listen(make_app(settings, routes=[(r"/echo", Echo)], clock=manual_clock))
    codes = []
    for number in range(5):
        socket = await open_socket(f"{url}/echo", Authorization="Bearer good-1")
        await socket.write_message(f"random-{number}")
        assert await socket.read_message() is None
        codes.append(socket.close_code)
    assert [4401, 4401, 4401, 1013, 1013] == codes
    assert 3 == firewall.count("random")


@pytest.mark.gen_test(timeout=60)
async def test_hybrid_does_not_accept_a_token_because_its_client_has_reached_the_limit(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="hybrid", introspection_rate_limit=1, insecure_accept_when_introspection_fails=True)
    tokens = [fake_issuer.token() for _ in range(2)]
    for token in tokens:
        fake_issuer.revoke(token)
    assert [401, 429] == [(await send(token))[0] for token in tokens]
