from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from seeded_clients import API

import fakeissuer
from fakeissuer import SettingsError, running
from fakeissuer.server.serving import ServingIssuer

Ask = Callable[..., Any]


def test_synchronous_callers_are_served_from_a_separate_thread(ask: Ask) -> None:
    before = set(threading.enumerate())
    with running() as issuer:
        assert ask(f"{issuer.issuer_url()}/.well-known/openid-configuration").json()["issuer"] == issuer.issuer_url()
        assert [thread.name for thread in set(threading.enumerate()) - before] == ["fakeissuer"]
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match=r"refused|reset"):
        ask(f"{issuer.url}/")


@pytest.mark.gen_test
async def test_asynchronous_callers_are_served_on_their_own_loop(ask: Ask) -> None:
    async with running() as issuer:
        answer = await asyncio.to_thread(ask, f"{issuer.issuer_url()}/v1/keys")
        assert answer.json() == issuer.key_set()
        assert issuer.token().count(".") == 2


@pytest.mark.gen_test
async def test_the_issuer_stops_during_a_delayed_response(ask: Ask) -> None:
    async with running() as issuer:
        issuer.fail("keys", delay=60)
        asked = asyncio.create_task(asyncio.to_thread(ask, f"{issuer.issuer_url()}/v1/keys"))
        while issuer.requests("keys").count == 0:  # noqa: ASYNC110  # the journal has no event to wait for
            await asyncio.sleep(0.001)
    await asyncio.wait([asked])
    assert asked.done()
    assert asked.exception() is None or isinstance(asked.exception(), OSError)


def test_two_issuers_are_independent(ask: Ask) -> None:
    with running() as one, running() as other:
        untouched = (other.key_set(), other.overview())
        one.clock.advance(86_400)
        one.fail("keys", drop=True)
        one.rotate()
        one.put("users", "carol@example.com")
        token = one.token()
        assert other.clock.state().offset == 0
        assert other.faults() == []
        assert (other.key_set(), other.overview()) == untouched
        assert ask(f"{other.issuer_url()}/v1/keys").status == 200
        assert one.requests().count == 0
        introspected = ask(
            f"{other.issuer_url()}/v1/introspect",
            "POST",
            form={"token": token},
            client=API,
        )
        assert introspected.json() == {"active": False}


def test_methods_can_be_called_from_many_threads() -> None:
    with running() as issuer, ThreadPoolExecutor(16) as threads:
        tokens = list(threads.map(lambda _: issuer.token(), range(64)))
    assert len(set(tokens)) == 64


def test_a_failed_start_raises_in_the_caller() -> None:
    with running() as issuer:
        port = int(issuer.url.rpartition(":")[2])
        with pytest.raises(SettingsError, match="cannot be listened on"), running(port=port):
            pass


def test_all_exported_names_exist() -> None:
    assert {name: getattr(fakeissuer, name) for name in fakeissuer.__all__}.keys() == set(fakeissuer.__all__)
    assert set(fakeissuer.__all__) <= set(dir(fakeissuer))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = fakeissuer.nothing_of_the_kind  # type: ignore[attr-defined]  # on purpose


def test_an_error_is_raised_in_the_calling_thread() -> None:
    with running() as issuer, pytest.raises(fakeissuer.InvalidRequestError):
        issuer.issuer_url("unknown")


@pytest.mark.gen_test
async def test_an_error_in_the_block_stops_the_issuer(ask: Ask) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running() as issuer:
            raise ZeroDivisionError
    with pytest.raises(OSError, match=r"refused|reset"):
        await asyncio.to_thread(ask, issuer.url)


def test_a_failed_start_on_the_server_thread_raises_in_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: ServingIssuer) -> None:
        raise OSError("no more descriptors")

    monkeypatch.setattr(ServingIssuer, "start", fails)
    with pytest.raises(OSError, match="descriptors"), running():
        pass


@pytest.mark.parametrize(
    "options",
    [{"port": 70_000}, {"address": "\0", "insecure_any_address": True}, {"config_file": "nowhere.toml"}],
)
def test_invalid_options_raise_a_settings_error(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError), running(**options):
        raise AssertionError("it serves")


def test_a_file_can_be_given_as_a_string(tmp_path: Path) -> None:
    name = str(tmp_path / "keys.json")
    with running(keys_file=name) as issuer:
        kids = [key["kid"] for key in issuer.key_set()["keys"]]
    with running(keys_file=name) as issuer:
        assert kids == [key["kid"] for key in issuer.key_set()["keys"]]
