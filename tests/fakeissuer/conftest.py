"""A plain HTTP client, so that what is tested is what is on the wire, and parts that stand without a server."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from fakeissuer.addresses import Addresses
from fakeissuer.key_pool import KeyPool
from fakeissuer.profiles import PROFILES
from fakeissuer.seed import seed
from fakeissuer.state import State

TIMEOUT_S = 10
URL = "http://127.0.0.1:9400"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]


def send(
    url: str,
    method: str = "GET",
    *,
    form: dict[str, Any] | None = None,
    body: bytes | None = None,
    client: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request on a connection of its own; `client` is `id:secret`, for Basic."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if form is not None:
        body = urlencode(form, doseq=True).encode()
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    if client is not None:
        sent["Authorization"] = "Basic " + base64.b64encode(client.encode()).decode()
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.fixture
def ask() -> Ask:
    return send


@pytest.fixture(scope="session")
def pool() -> KeyPool:
    """Keys that all tests share: making them is what takes time."""
    return KeyPool()


@pytest.fixture
def state(pool: KeyPool) -> State:
    return State(Addresses(listening_url=URL, public_url=URL), pool, PROFILES["okta"], seed(URL))
