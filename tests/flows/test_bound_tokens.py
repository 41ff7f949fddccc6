"""A bound token works nowhere without its key: each place and kind of request, with each proof and certificate."""

from __future__ import annotations

import asyncio
import base64
import itertools
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tornado.web
from certificates import Authority
from hypothesis import given, settings
from hypothesis import strategies as st
from seeded_clients import API
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler, websocket_connect

import fakeissuer
from fakeissuer import DPoPClient
from service import BearerAuthMixin, Settings, make_app
from service.errors import TokenError

SOURCES = ("header", "form", "query", "cookie")
COOKIE = "token"
ORIGINAL = "/carts/7"
"""The path of the request for which a proxy calls ``/auth``."""


class Resource(BearerAuthMixin, tornado.web.RequestHandler):
    """Reads tokens everywhere."""

    token_sources = SOURCES
    token_cookie = COOKIE

    def get(self) -> None:
        self.write({"subject": self.principal.subject})

    post = get


class Events(Resource):
    """A stream."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write("data: hello\n\n")


class Socket(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that accepts a token at its handshake only."""

    token_sources = SOURCES
    token_cookie = COOKIE

    def on_message(self, message: str | bytes) -> None:
        """Do nothing."""


class AnonymousSocket(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that takes a token and its proof in a message."""

    optional = True

    async def on_message(self, message: str | bytes) -> None:
        token, _, proof = str(message).partition(" ")
        try:
            await self.reauthenticate(token, proof=proof or None)
        except TokenError as exc:
            await self.write_message(str(exc.reason))
        else:
            await self.write_message("accepted")


ROUTES: list[Any] = [
    (r"/resource", Resource),
    (r"/events", Events),
    (r"/socket", Socket),
    (r"/anonymous", AnonymousSocket),
]

KINDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "GET": ("GET", "/resource", ("header", "query", "cookie")),
    "POST": ("POST", "/resource", ("header", "form", "query", "cookie")),
    "a stream": ("GET", "/events", ("header", "query", "cookie")),
    "a handshake": ("GET", "/socket", ("header", "query", "cookie", "subprotocol")),
    "reauthenticate": ("GET", "/anonymous", ("message",)),
    "forward authentication": ("DELETE", "/auth", ("header",)),
}
"""Each kind of request: the method that a proof must name, the path, and the places that may hold a token."""
PROOFS = ("none", "right", "replayed", "foreign key", "foreign token", "foreign URL", "foreign method", "two", "old")
BINDINGS = {"jkt": (True, False), "x5t#S256": (False, True), "jkt and x5t#S256": (True, True)}
MODES = ("off", "allowed", "required")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request with a bound token."""

    kind: str
    place: str
    scheme: str
    proof: str
    certificate: str
    binding: str
    is_opaque: bool
    mode: str

    @property
    def succeeds(self) -> bool:
        """Whether the sender has proved that it holds every key of the token."""
        has_key, has_certificate = BINDINGS[self.binding]
        if has_certificate and self.certificate != "own":
            return False
        is_dpop = self.place == "header" and self.scheme == "DPoP"
        if self.place == "message":
            is_dpop = self.proof != "none"
        if has_key:
            return self.mode != "off" and is_dpop and self.proof == "right"
        return self.mode != "required" and not is_dpop


def _attempts() -> st.SearchStrategy[Attempt]:
    places = [(kind, place) for kind, (_, _, places) in KINDS.items() for place in places]
    # A message carries one proof, and its scheme follows from it.
    ways = [
        (kind, place, scheme, proof)
        for (kind, place), scheme, proof in itertools.product(places, ("Bearer", "DPoP"), PROOFS)
        if place != "message" or (proof != "two" and scheme == "Bearer")
    ]
    return st.builds(
        lambda way, **members: Attempt(kind=way[0], place=way[1], scheme=way[2], proof=way[3], **members),
        way=st.sampled_from(ways),
        certificate=st.sampled_from(["own", "other", "none"]),
        binding=st.sampled_from(sorted(BINDINGS)),
        is_opaque=st.booleans(),
        mode=st.sampled_from(MODES),
    )


class World:
    """A service for each mode of DPoP, its issuer, and the keys and certificates of a client and of a thief."""

    def __init__(self, issuer: fakeissuer.RunningIssuer, folder: Path) -> None:
        authority = Authority(folder)
        self.certificates = {"own": authority.issue("own.example"), "other": authority.issue("other.example")}
        self.client, self.thief = DPoPClient(), DPoPClient()
        self.loop = IOLoop.current()
        client_id, client_secret = API.split(":")
        options: dict[str, Any] = {"client_id": client_id, "client_secret": client_secret}
        # Trusted, since the certificates come as a proxy reports them.
        options |= {"trusted_proxies": ("127.0.0.1",), "client_certificate_header": "X-SSL-Client-Cert"}
        self.urls = {}
        self._stops: list[Callable[[], None]] = []
        for mode in MODES:
            options["dpop"] = mode
            made = Settings(
                issuer=issuer.issuer_url(),
                validation="auto",
                forward_auth=True,
                **options,
            )
            app = make_app(made, routes=ROUTES)
            server = app.listen(0, "127.0.0.1")
            (listening,) = server._sockets.values()
            self.urls[mode] = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._stops += [server.stop, partial(self.loop.run_sync, app.close)]
        self.tokens = {
            (binding, is_opaque): issuer.token(
                sub="alice@example.com", opaque=is_opaque,
                dpop_jkt=self.client.thumbprint if has_key else None,
                x5t_s256=self.certificates["own"].thumbprint if has_certificate else None,
            )
            for binding, (has_key, has_certificate) in BINDINGS.items()
            for is_opaque in (False, True)
        }  # fmt: skip
        self.foreign_token = issuer.token(dpop_jkt=self.client.thumbprint)

    def close(self) -> None:
        for stop in self._stops:
            stop()

    async def is_accepted(self, attempt: Attempt) -> bool:
        proofs = self.proofs(attempt)
        if attempt.proof == "replayed":
            place = "message" if attempt.kind == "reauthenticate" else "header"
            first = replace(attempt, place=place, scheme="DPoP", proof="right", certificate="own")
            assert first.succeeds is await self.send(first, proofs)
        return await self.send(attempt, proofs)

    def proofs(self, attempt: Attempt) -> list[str]:
        """Return the values of the field ``DPoP``."""
        method, path, _ = KINDS[attempt.kind]
        url = self.urls[attempt.mode] + (ORIGINAL if path == "/auth" else path)
        token = self.tokens[attempt.binding, attempt.is_opaque]

        def proof(signer: DPoPClient, named_method: str, named_url: str, named_token: str, **claims: Any) -> str:
            return signer.proof(named_method, named_url, access_token=named_token, claims=claims)

        right = proof(self.client, method, url, token)
        made: dict[str, list[str]] = {
            "none": [],
            "right": [right],
            "replayed": [right],
            "foreign key": [proof(self.thief, method, url, token)],
            "foreign token": [proof(self.client, method, url, self.foreign_token)],
            "foreign URL": [proof(self.client, method, f"{url}/other", token)],
            "foreign method": [proof(self.client, "PATCH", url, token)],
            "two": [right, proof(self.client, method, url, token)],
            "old": [proof(self.client, method, url, token, iat=1)],
        }
        return made[attempt.proof]

    async def send(self, attempt: Attempt, proofs: list[str]) -> bool:
        """Return whether the service accepts a request."""
        _, path, _ = KINDS[attempt.kind]
        url = self.urls[attempt.mode] + path
        token = self.tokens[attempt.binding, attempt.is_opaque]
        headers = HTTPHeaders({"Origin": self.urls[attempt.mode], "Sec-Fetch-Site": "same-origin"})
        body = None
        if attempt.certificate != "none":
            headers["X-SSL-Client-Cert"] = urllib.parse.quote(self.certificates[attempt.certificate].pem, safe="")
        if attempt.kind == "reauthenticate":
            return await self._reauthenticate(url, headers, " ".join([token, *proofs]))
        for proof in proofs:
            headers.add("DPoP", proof)
        if attempt.place == "header":
            headers["Authorization"] = f"{attempt.scheme} {token}"
        elif attempt.place == "query":
            url += f"?access_token={token}"
        elif attempt.place == "cookie":
            headers["Cookie"] = f"{COOKIE}={token}"
        elif attempt.place == "form":
            body = f"access_token={token}"
        if path == "/auth":
            headers.update({"X-Forwarded-Method": "DELETE", "X-Forwarded-Uri": f"{ORIGINAL}?all=1"})
        if attempt.kind == "a handshake":
            offered = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
            subprotocols = [f"base64url.bearer.authorization.{offered}"] if attempt.place == "subprotocol" else None
            return await self._shake_hands(url, headers, subprotocols)
        method = "POST" if attempt.kind == "POST" else "GET"
        body = "" if method == "POST" and body is None else body
        request = HTTPRequest(url, method=method, headers=headers, body=body)
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        assert response.code in {200, 204, 401}, response.body
        return response.code != 401

    async def _shake_hands(self, url: str, headers: HTTPHeaders, subprotocols: list[str] | None) -> bool:
        request = HTTPRequest(url.replace("http", "ws", 1), headers=headers)
        try:
            connection = await websocket_connect(request, subprotocols=subprotocols)
        except HTTPClientError as exc:
            if exc.code != 401:
                raise
            return False
        connection.close()
        return True

    async def _reauthenticate(self, url: str, headers: HTTPHeaders, message: str) -> bool:
        connection = await websocket_connect(HTTPRequest(url.replace("http", "ws", 1), headers=headers))
        await connection.write_message(message)
        reply = await connection.read_message()
        connection.close()
        return reply == "accepted"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        with fakeissuer.running() as issuer:
            world = World(issuer, tmp_path_factory.mktemp("certificates"))
            yield world
            world.close()
        asyncio.set_event_loop(None)


def test_every_way_of_binding_has_a_request_that_succeeds(world: World) -> None:
    for kind, (_, _, places) in KINDS.items():
        for binding, (has_key, _) in BINDINGS.items():
            attempt = Attempt(
                kind=kind, place=places[0], scheme="DPoP" if has_key else "Bearer",
                proof="right" if has_key else "none", certificate="own", binding=binding, is_opaque=False,
                mode="allowed",
            )  # fmt: skip
            assert attempt.succeeds, attempt
            assert world.loop.run_sync(lambda attempt=attempt: world.is_accepted(attempt)), attempt


@given(attempt=_attempts())
@settings(max_examples=800, deadline=None)
def test_a_bound_token_works_nowhere_without_its_key(world: World, attempt: Attempt) -> None:
    assert attempt.succeeds is world.loop.run_sync(lambda: world.is_accepted(attempt))
