"""Tokens that are bound by DPoP, over HTTP: schemes, sources, nonces, replays, sockets and streams."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import servers
import tornado.web
from programs import Start, listening
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketHandler, websocket_connect

from fakeissuer import DPoPClient, RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app
from service.caches import shared
from service.web.endpoints.okta_guide import WhoAmI


class Strict(BearerAuthMixin, tornado.web.RequestHandler):
    """Accepts bound tokens only."""

    dpop = "required"

    def get(self) -> None:
        self.write({"subject": self.principal.subject})


class WithNonce(Strict):
    """Needs a nonce, too."""

    dpop_nonce = True


class OtherNonce(WithNonce):
    """Has nonces of its own."""


class BearerOnly(BearerAuthMixin, tornado.web.RequestHandler):
    """Accepts no bound tokens."""

    dpop = "off"

    def get(self) -> None:
        self.write({"subject": self.principal.subject})


class AnySource(BearerAuthMixin, tornado.web.RequestHandler):
    """Reads tokens everywhere."""

    token_sources = ("header", "form", "query", "cookie")
    token_cookie = "token"  # a name

    def post(self) -> None:
        self.write({"subject": self.principal.subject})


class Events(BearerAuthMixin, tornado.web.RequestHandler):
    """A stream."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write("data: hello\n\n")


class Echo(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that repeats messages, and takes another token with its proof."""

    async def on_message(self, message: str | bytes) -> None:
        token, _, proof = str(message).partition(" ")
        await self.reauthenticate(token, proof=proof or None)
        await self.write_message(str(self.principal.subject))


ROUTES: list[Any] = [
    (r"/whoami", WhoAmI),
    (r"/strict", Strict),
    (r"/nonce", WithNonce),
    (r"/other-nonce", OtherNonce),
    (r"/bearer", BearerOnly),
    (r"/any", AnySource),
    (r"/events", Events),
    (r"/socket", Echo),
]


@pytest.fixture
def url(fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str]) -> str:
    return listen(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True), routes=ROUTES))


@pytest.fixture
def bound(fake_issuer: RunningIssuer, dpop_client: DPoPClient) -> str:
    return fake_issuer.token(sub="alice@example.com", scp="api:read", dpop_jkt=dpop_client.thumbprint)


Fetch = Callable[..., Any]


@pytest.fixture
def fetch(http_client: AsyncHTTPClient) -> Fetch:
    async def send(url: str, **options: Any) -> HTTPResponse:
        return await http_client.fetch(url, raise_error=False, **options)

    return send


def _error(response: HTTPResponse) -> str:
    return "" if response.code < 400 else str(json.loads(response.body)["error"])


@pytest.mark.gen_test
async def test_a_bound_token_is_accepted_with_a_fresh_proof_for_each_request(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch
) -> None:
    for _ in range(3):
        response = await fetch(f"{url}/whoami?verbose=1", headers=dpop_client.headers("GET", f"{url}/whoami", bound))
        assert (200, "alice@example.com") == (response.code, json.loads(response.body)["sub"])


@pytest.mark.gen_test
async def test_a_challenge_names_both_schemes_and_the_error_in_the_one_that_was_tried(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch
) -> None:
    algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"'
    none = (await fetch(f"{url}/whoami")).headers.get_list("WWW-Authenticate")
    assert ['Bearer realm="api"', f'DPoP realm="api", {algs}'] == none
    headers = dpop_client.headers("POST", f"{url}/whoami", bound)
    first, second = (await fetch(f"{url}/whoami", headers=headers)).headers.get_list("WWW-Authenticate")
    assert first.startswith('DPoP realm="api", error="invalid_dpop_proof", error_description="')
    assert (True, 'Bearer realm="api"') == (first.endswith(algs), second)
    bearer = await fetch(f"{url}/whoami", headers={"Authorization": f"Bearer {bound}"})
    first, second = bearer.headers.get_list("WWW-Authenticate")
    assert (401, "invalid_token") == (bearer.code, _error(bearer))
    assert (True, f'DPoP realm="api", {algs}') == (first.startswith('Bearer realm="api", error='), second)
    strict = await fetch(f"{url}/strict", headers={"Authorization": "Bearer abc"})
    (only,) = strict.headers.get_list("WWW-Authenticate")
    assert (401, True) == (strict.code, only.startswith('DPoP realm="api", error="invalid_token"'))
    (only,) = (await fetch(f"{url}/bearer")).headers.get_list("WWW-Authenticate")
    assert 'Bearer realm="api"' == only


@pytest.mark.gen_test
async def test_a_handler_may_require_or_reject_bound_tokens(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch, fake_issuer: RunningIssuer
) -> None:
    plain = fake_issuer.token(sub="alice@example.com")
    outcomes = {}
    for path in ("/strict", "/bearer", "/whoami"):
        with_proof = await fetch(url + path, headers=dpop_client.headers("GET", url + path, bound))
        as_bearer = await fetch(url + path, headers={"Authorization": f"Bearer {plain}"})
        unbound = await fetch(url + path, headers=dpop_client.headers("GET", url + path, plain))
        outcomes[path] = (with_proof.code, as_bearer.code, unbound.code)
    assert {"/strict": (200, 401, 401), "/bearer": (401, 200, 401), "/whoami": (200, 200, 401)} == outcomes


@pytest.mark.gen_test
async def test_of_a_thousand_concurrent_copies_of_one_proof_one_is_accepted(
    url: str, bound: str, dpop_client: DPoPClient
) -> None:
    headers = dpop_client.headers("GET", f"{url}/whoami", bound)
    client = AsyncHTTPClient(force_instance=True, max_clients=50)
    responses = await asyncio.gather(
        *(client.fetch(f"{url}/whoami", headers=headers, raise_error=False) for _ in range(1000))
    )
    assert [200] == [response.code for response in responses if response.code != 401]
    assert {"invalid_dpop_proof"} == {_error(response) for response in responses if response.code == 401}
    client.close()


@pytest.mark.gen_test
async def test_a_nonce_is_exchanged_renewed_and_good_for_one_handler(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch
) -> None:
    target = f"{url}/nonce"
    first = await fetch(target, headers=dpop_client.headers("GET", target, bound))
    assert (401, "use_dpop_nonce") == (first.code, _error(first))
    assert 'error="use_dpop_nonce"' in first.headers.get_list("WWW-Authenticate")[0]
    dpop_client.remember_nonce(target, first.headers["DPoP-Nonce"])
    accepted = await fetch(target, headers=dpop_client.headers("GET", target, bound))
    assert (200, None) == (accepted.code, accepted.headers.get("DPoP-Nonce"))
    other = f"{url}/other-nonce"
    dpop_client.remember_nonce(other, first.headers["DPoP-Nonce"])
    rejected = await fetch(other, headers=dpop_client.headers("GET", other, bound))
    assert (401, "use_dpop_nonce") == (rejected.code, _error(rejected))


@pytest.mark.gen_test
async def test_a_bound_token_is_accepted_in_no_other_place(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch, fake_issuer: RunningIssuer
) -> None:
    plain = fake_issuer.token(sub="alice@example.com")
    proof = {"DPoP": dpop_client.proof("POST", f"{url}/any", access_token=bound)}
    origin = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    for token, code in ((plain, 200), (bound, 401)):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        responses = [
            await fetch(f"{url}/any?access_token={token}", method="POST", body="", headers=proof),
            await fetch(f"{url}/any", method="POST", body=f"access_token={token}", headers=form | proof),
            await fetch(f"{url}/any", method="POST", body="", headers=proof | origin | {"Cookie": f"token={token}"}),
            await fetch(f"{url}/any", method="POST", body="", headers=proof | {"Authorization": f"Bearer {token}"}),
        ]
        assert [code] * 4 == [response.code for response in responses]


@pytest.mark.gen_test
async def test_a_stream_and_a_socket_need_a_proof_at_their_start(
    url: str, bound: str, dpop_client: DPoPClient, fetch: Fetch, fake_issuer: RunningIssuer
) -> None:
    target = f"{url}/events"
    assert 200 == (await fetch(target, headers=dpop_client.headers("GET", target, bound))).code
    assert 401 == (await fetch(target, headers={"Authorization": f"Bearer {bound}"})).code
    socket = f"{url}/socket"
    with pytest.raises(HTTPClientError, match="401"):
        await websocket_connect(HTTPRequest(socket.replace("http", "ws"), headers={"Authorization": f"Bearer {bound}"}))
    headers = dpop_client.headers("GET", socket, bound)
    connection = await websocket_connect(HTTPRequest(socket.replace("http", "ws"), headers=headers))
    renewed = fake_issuer.token(sub="alice@example.com", dpop_jkt=dpop_client.thumbprint)
    await connection.write_message(f"{renewed} {dpop_client.proof('GET', socket, access_token=renewed)}")
    assert "alice@example.com" == await connection.read_message()
    await connection.write_message(renewed)
    assert await connection.read_message() is None  # closed: the bound token came without a proof
    assert 4401 == connection.close_code
    connection.close()


@pytest.mark.gen_test
async def test_forward_authentication_accepts_proofs_for_the_original_request_of_a_trusted_proxy_only(
    fake_issuer: RunningIssuer,
    listen: Callable[[ResourceServerApplication], str],
    bound: str,
    dpop_client: DPoPClient,
    fetch: Fetch,
) -> None:
    forwarded = {
        "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Method": "DELETE", "X-Forwarded-Uri": "/carts/7?all=1",
    }  # fmt: skip
    codes = {}
    for proxies in ((), ("127.0.0.1",)):
        settings = Settings(issuer=fake_issuer.issuer_url(), forward_auth=True, trusted_proxies=proxies)
        auth = f"{listen(make_app(settings))}/auth"
        right = dpop_client.headers("DELETE", "https://shop.example/carts/7", bound)
        other = dpop_client.headers("GET", auth, bound)
        codes[proxies] = [(await fetch(auth, headers=headers | forwarded)).code for headers in (right, other)]
    assert {(): [401, 401], ("127.0.0.1",): [200, 401]} == codes


@pytest.mark.gen_test
async def test_introspected_tokens_are_bound_too(
    fake_issuer: RunningIssuer,
    listen: Callable[[ResourceServerApplication], str],
    dpop_client: DPoPClient,
    fetch: Fetch,
) -> None:
    client: dict[str, Any] = {
        "client_id": "0oaapi00000000000001",
        "client_secret": "api-secret-for-tests-only-00000000001",
    }
    settings = Settings(issuer=fake_issuer.issuer_url(), validation="introspection", **client)
    target = f"{listen(make_app(settings))}/api/whoami"
    opaque = fake_issuer.token(opaque=True, sub="alice@example.com", dpop_jkt=dpop_client.thumbprint)
    assert 200 == (await fetch(target, headers=dpop_client.headers("GET", target, opaque))).code
    assert 200 == (await fetch(target, headers=dpop_client.headers("GET", target, opaque))).code
    assert 401 == (await fetch(target, headers={"Authorization": f"Bearer {opaque}"})).code
    assert 401 == (await fetch(target, headers=DPoPClient().headers("GET", target, opaque))).code


@pytest.mark.gen_test
async def test_the_metadata_says_how_tokens_may_be_bound(
    fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str], fetch: Fetch
) -> None:
    documents = {}
    for mode in ("off", "allowed", "required"):
        app = make_app(Settings(issuer=fake_issuer.issuer_url(), dpop=mode, public_url="https://api.example"))
        response = await fetch(f"{listen(app)}/.well-known/oauth-protected-resource")
        document = json.loads(response.body)
        documents[mode] = (
            "ES256" in document.get("dpop_signing_alg_values_supported", ()),
            document.get("dpop_bound_access_tokens_required"),
        )
    assert {"off": (False, None), "allowed": (True, False), "required": (True, True)} == documents


@pytest.fixture
def two_services(fake_issuer: RunningIssuer, start: Start) -> Iterator[tuple[servers.CacheServer, list[str]]]:
    """Yield a Redis server, and the URLs of two services that share it and have one external address."""
    with servers.running("redis") as cache:
        environment = {
            "SERVICE_CACHE_URL": cache.url,
            "SERVICE_CACHE_SECRET": "s" * 32,
            "SERVICE_PUBLIC_URL": "https://api.example",
            "SERVICE_LOG_LEVEL": "warning",
        }
        options = ("service", "--port", "0", "--issuer", fake_issuer.issuer_url())
        yield cache, [listening(start(*options, **environment)) for _ in range(2)]


def _accepted(urls: Sequence[str], headers: Mapping[str, str], *, copies: int = 60) -> int:
    """Send concurrent copies of one request to each process, and return how many were accepted."""

    def send(url: str) -> int:
        request = urllib.request.Request(f"{url}/api/whoami", headers=dict(headers))  # noqa: S310  # ours
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  # ours
                return int(response.status)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code

    with ThreadPoolExecutor(32) as pool:
        return list(pool.map(send, [*urls] * copies)).count(200)


def test_of_the_copies_of_a_proof_two_processes_accept_one_and_at_most_one_each_while_redis_is_gone(
    two_services: tuple[servers.CacheServer, list[str]], fake_issuer: RunningIssuer, dpop_client: DPoPClient
) -> None:
    cache, urls = two_services
    token = fake_issuer.token(dpop_jkt=dpop_client.thumbprint)

    def proof() -> dict[str, str]:
        return dpop_client.headers("GET", "https://api.example/api/whoami", token)

    first = proof()
    assert 1 == _accepted(urls, first)
    cache.stop()
    second = proof()
    assert 1 <= _accepted(urls, second) <= 2
    assert 0 == _accepted(urls, second, copies=3)
    cache.start()
    time.sleep(shared.RETRY_INTERVAL + 0.2)  # until the processes try the cache again
    assert 1 == _accepted(urls, proof())
    assert 1 >= _accepted(urls, first)  # Redis has forgotten it, but the process that accepted it has not
