"""An issuer that is not where its identifier says: tokens name a public host, and the API uses another address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock

PUBLIC = "https://sso.example.com/oauth2/default"
CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}

Start = Callable[..., "Service"]


class Service:
    """A service with its clock and its client."""

    def __init__(self, url: str, client: AsyncHTTPClient, clock: ManualClock) -> None:
        self.url, self.client, self.clock = url, client, clock

    async def status(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.client.fetch(f"{self.url}/api/whoami", headers=headers, raise_error=False)
        return response.code


@pytest.fixture
def start(
    fake_issuer: RunningIssuer,
    manual_clock: ManualClock,
    http_client: AsyncHTTPClient,
    listen: Callable[[ResourceServerApplication], str],
) -> Start:
    """Return a function that starts a service for tokens of ``PUBLIC``."""

    def starting(**settings: Any) -> Service:
        app = make_app(Settings(**{"issuer": PUBLIC, "audience": "api://default", **settings}), clock=manual_clock)
        return Service(listen(app), http_client, manual_clock)

    return starting


@pytest.fixture
def inside(fake_issuer: RunningIssuer) -> str:
    """The address by which the API reaches the issuer."""
    return fake_issuer.issuer_url()


def _token(issuer: RunningIssuer, iss: str = PUBLIC, **members: Any) -> str:
    return issuer.token(claims={"iss": iss}, **members)


PLACES: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    "the key set": ({"jwks_uri": "{}/v1/keys"}, {"discovery": 0, "keys": 1}),
    "the metadata": ({"metadata_url": "{}/.well-known/openid-configuration"}, {"discovery": 1, "keys": 1}),
    "both": (
        {"metadata_url": "{}/.well-known/openid-configuration", "jwks_uri": "{}/v1/keys"},
        {"discovery": 0, "keys": 1},
    ),
}


@pytest.mark.parametrize(("places", "counts"), PLACES.values(), ids=PLACES.keys())
@pytest.mark.gen_test
async def test_the_issuer_is_compared_exactly_wherever_its_keys_are(
    places: dict[str, str], counts: dict[str, int], start: Start, fake_issuer: RunningIssuer, inside: str
) -> None:
    service = start(**{name: url.format(inside) for name, url in places.items()})
    assert 200 == await service.status(_token(fake_issuer))
    for other in (inside, f"{PUBLIC}/", PUBLIC.upper(), PUBLIC.replace("https", "http")):
        assert 401 == await service.status(_token(fake_issuer, other)), other
    assert 401 == await service.status(_token(fake_issuer, key="unpublished"))
    assert counts["discovery"] == fake_issuer.requests("discovery").count


@pytest.mark.gen_test
async def test_opaque_tokens_are_introspected_at_the_endpoint_of_the_settings(
    start: Start, fake_issuer: RunningIssuer, inside: str
) -> None:
    service = start(introspection_endpoint=f"{inside}/v1/introspect", validation="introspection", **CLIENT)
    claims = fake_issuer.mint(opaque=True).claims
    for iss, status in {PUBLIC: 200, inside: 401}.items():
        fake_issuer.fail("introspect", status=200, body={"active": True, **claims, "iss": iss}, times=1)
        assert status == await service.status(f"opaque-{status}")
    assert (0, 2) == (fake_issuer.requests("discovery").count, fake_issuer.requests("introspect").count)


@pytest.mark.gen_test
async def test_an_issuer_that_is_not_a_url_is_a_name(start: Start, fake_issuer: RunningIssuer, inside: str) -> None:
    service = start(issuer="acme.com", jwks_uri=f"{inside}/v1/keys")
    assert 200 == await service.status(_token(fake_issuer, "acme.com"))
    assert 401 == await service.status(_token(fake_issuer, "https://acme.com"))


@pytest.mark.gen_test
async def test_further_issuers_have_places_of_their_own(start: Start, fake_issuer: RunningIssuer, inside: str) -> None:
    table = {"issuer": "https://two.example", "audience": "api://default", "jwks_uri": f"{inside}/v1/keys"}
    service = start(issuer=inside, issuers=json.dumps([table]))
    assert 200 == await service.status(fake_issuer.token())
    assert 200 == await service.status(_token(fake_issuer, "https://two.example"))
    assert 401 == await service.status(_token(fake_issuer))


def _write(path: Path, key_set: object) -> None:
    path.write_text(key_set if isinstance(key_set, str) else json.dumps(key_set), "utf-8")


@pytest.mark.gen_test
async def test_a_file_of_keys_is_read_again_when_it_changes(
    start: Start, fake_issuer: RunningIssuer, tmp_path: Path, io_loop: IOLoop
) -> None:
    file = tmp_path / "keys.json"
    _write(file, fake_issuer.key_set())
    service = start(keys_file=str(file))
    old = _token(fake_issuer, expires_in=24 * 3600)
    assert 200 == await service.status(old)
    fake_issuer.rotate()
    fake_issuer.rotate()
    new = _token(fake_issuer, expires_in=24 * 3600)
    assert 401 == await service.status(new)
    _write(file, fake_issuer.key_set())
    service.clock.advance(2)
    assert 200 == await service.status(new)
    assert 0 == fake_issuer.requests().count


BROKEN: dict[str, object] = {
    "half written": '{"keys": [',
    "empty": "",
    "without keys": {"keys": []},
    "of another kind": "-----BEGIN PUBLIC KEY-----",
}


@pytest.mark.parametrize("content", [*BROKEN.values(), None], ids=[*BROKEN.keys(), "deleted"])
@pytest.mark.gen_test
async def test_an_unusable_version_of_the_file_keeps_the_old_keys_and_is_logged(
    content: object, start: Start, fake_issuer: RunningIssuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.json"
    _write(file, fake_issuer.key_set())
    service = start(keys_file=str(file))
    token = _token(fake_issuer, expires_in=24 * 3600)
    assert 200 == await service.status(token)
    file.unlink()
    if content is not None:
        _write(file, content)
    for _ in range(5):
        service.clock.advance(3)
        assert 200 == await service.status(token)
    failures = [record.getMessage() for record in caplog.records if record.msg.startswith("refresh failed")]
    assert 1 == len(failures), failures
    assert str(file) in failures[0]
    _write(file, fake_issuer.key_set())
    async with asyncio.timeout(10):
        while not any(record.msg.startswith("refresh recovered") for record in caplog.records):
            service.clock.advance(1)
            assert 200 == await service.status(token)


@pytest.mark.gen_test
async def test_a_key_that_is_removed_from_the_file_is_rejected_after_two_seconds(
    start: Start, fake_issuer: RunningIssuer, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    _write(file, fake_issuer.key_set())
    service = start(keys_file=str(file))
    token = _token(fake_issuer)
    assert 200 == await service.status(token)
    kid = next(key.kid for key in fake_issuer.keys() if key.status == "ACTIVE")
    fake_issuer.rotate()
    _write(file, {"keys": [key for key in fake_issuer.key_set()["keys"] if key["kid"] != kid]})
    service.clock.advance(2.1)
    assert 401 == await service.status(token)
