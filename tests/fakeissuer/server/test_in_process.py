from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from seeded import API

import fakeissuer
from fakeissuer import SettingsError, running
from fakeissuer.server.serving import ServingIssuer

Ask = Callable[..., Any]


def test_serves_synchronous_callers_from_a_thread_of_its_own(ask: Ask) -> None:
    before = set(threading.enumerate())
    with running() as issuer:
        assert ask(f"{issuer.issuer_url()}/.well-known/openid-configuration").json()["issuer"] == issuer.issuer_url()
        assert [thread.name for thread in set(threading.enumerate()) - before] == ["fakeissuer"]
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match=r"refused|reset"):
        ask(f"{issuer.url}/")


@pytest.mark.gen_test
async def test_serves_asynchronous_callers_on_their_own_loop(ask: Ask) -> None:
    async with running() as issuer:
        answer = await asyncio.to_thread(ask, f"{issuer.issuer_url()}/v1/keys")
        assert answer.json() == issuer.key_set()
        assert issuer.token().count(".") == 2


@pytest.mark.gen_test
async def test_stops_on_the_callers_loop_while_a_fault_is_under_way(ask: Ask) -> None:
    async with running() as issuer:
        issuer.fail("keys", delay=60)
        asked = asyncio.create_task(asyncio.to_thread(ask, f"{issuer.issuer_url()}/v1/keys"))
        while issuer.requests("keys").count == 0:  # noqa: ASYNC110  # the journal has no event to wait for
            await asyncio.sleep(0.001)
    await asyncio.wait([asked])
    assert asked.done()
    assert asked.exception() is None or isinstance(asked.exception(), OSError)


def test_two_issuers_do_not_disturb_each_other(ask: Ask) -> None:
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


def test_its_script_can_be_called_from_many_threads() -> None:
    with running() as issuer, ThreadPoolExecutor(16) as threads:
        tokens = list(threads.map(lambda _: issuer.token(), range(64)))
    assert len(set(tokens)) == 64


def test_a_start_that_fails_is_told_to_the_caller() -> None:
    with running() as issuer:
        port = int(issuer.url.rpartition(":")[2])
        with pytest.raises(SettingsError, match="cannot be listened on"), running(port=port):
            pass


def test_what_is_exported_is_what_is_there() -> None:
    assert {name: getattr(fakeissuer, name) for name in fakeissuer.__all__}.keys() == set(fakeissuer.__all__)
    assert set(fakeissuer.__all__) <= set(dir(fakeissuer))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = fakeissuer.nothing_of_the_kind


def test_an_error_of_the_script_reaches_the_thread_that_called() -> None:
    with running() as issuer, pytest.raises(fakeissuer.InvalidRequestError):
        issuer.issuer_url("unknown")


@pytest.mark.gen_test
async def test_an_error_of_the_block_ends_the_issuer(ask: Ask) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running() as issuer:
            raise ZeroDivisionError
    with pytest.raises(OSError, match=r"refused|reset"):
        await asyncio.to_thread(ask, issuer.url)


def test_a_start_that_fails_on_its_own_thread_is_told_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: ServingIssuer) -> None:
        raise OSError("no more descriptors")

    monkeypatch.setattr(ServingIssuer, "start", fails)
    with pytest.raises(OSError, match="descriptors"), running():
        pass


@pytest.mark.parametrize(
    "options",
    [{"port": 70_000}, {"address": "\0", "insecure_any_address": True}, {"config_file": "nowhere.toml"}],
)
def test_what_cannot_be_served_is_a_problem_of_the_settings(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError), running(**options):
        raise AssertionError("it serves")


def test_a_file_may_be_named_by_a_text(tmp_path: Path) -> None:
    name = str(tmp_path / "keys.json")
    with running(keys_file=name) as issuer:
        kids = [key["kid"] for key in issuer.key_set()["keys"]]
    with running(keys_file=name) as issuer:
        assert kids == [key["kid"] for key in issuer.key_set()["keys"]]
