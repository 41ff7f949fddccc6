from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from scripted_browser import CALLBACK, Browser, redirected
from seeded_clients import API

from fakeissuer import InvalidRequestError, NotFoundError
from fakeissuer.control.mint_request import MintRequest
from fakeissuer.server.running_issuer import RunningIssuer


def test_the_clock_can_be_read_set_and_frozen(fake_issuer: RunningIssuer) -> None:
    clock = fake_issuer.clock
    clock.set(2_000_000_000)
    clock.freeze()
    assert clock.state().frozen
    clock.advance(10)
    assert clock.now() == pytest.approx(2_000_000_010, abs=5)
    clock.unfreeze()
    assert not clock.state().frozen
    clock.reset()
    assert abs(clock.state().offset) < 1


def test_the_publication_of_a_key_can_be_delayed(fake_issuer: RunningIssuer) -> None:
    assert not fake_issuer.delay_publication(seconds=30)[0].published
    assert fake_issuer.publish_now()[0].published
    fake_issuer.delay_publication("partner", seconds=30)
    assert not fake_issuer.keys("partner")[0].published
    fake_issuer.clock.advance(30)
    assert fake_issuer.keys("partner")[0].published


def test_a_key_of_any_server_can_be_withdrawn(fake_issuer: RunningIssuer) -> None:
    for server in ("default", "partner", "org"):
        kid = fake_issuer.keys(server)[0].kid
        assert not fake_issuer.withdraw(kid)[0].published
    with pytest.raises(NotFoundError):
        fake_issuer.withdraw("unknown")


def test_faults_are_listed_and_cleared(fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", drop=True, server="partner")
    assert [fault.kind for fault in fake_issuer.faults()] == ["drop"]
    fake_issuer.clear_faults()
    assert fake_issuer.faults() == []


def test_requests_can_be_cleared(fake_issuer: RunningIssuer) -> None:
    fake_issuer.clear_requests()
    assert len(fake_issuer.requests("keys", server="default")) == 0


def test_users_can_be_added_and_removed(fake_issuer: RunningIssuer) -> None:
    carol = fake_issuer.put("users", "carol@example.com", id="00ucarol", email="c@example.com")
    assert fake_issuer.get("users", "carol@example.com") == carol == fake_issuer.remove("users", "carol@example.com")
    assert fake_issuer.token(sub="carol@example.com").count(".") == 2
    with pytest.raises(NotFoundError):
        fake_issuer.remove("users", "carol@example.com")


def test_an_unknown_member_is_rejected_with_the_known_ones(fake_issuer: RunningIssuer) -> None:
    with pytest.raises(InvalidRequestError, match=", ".join(MintRequest.__struct_fields__)):
        fake_issuer.token(scope="a")
    with pytest.raises(InvalidRequestError):
        fake_issuer.fail("keys", status=True)


def test_a_new_issuer_has_no_requests(fake_issuer: RunningIssuer) -> None:
    assert fake_issuer.requests().count == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda issuer: issuer.requests("tpyo"),
        lambda issuer: issuer.put("things", "a"),
        lambda issuer: issuer.get("things", "a"),
        lambda issuer: issuer.remove("copy", "a"),
        lambda issuer: issuer.delay_publication(seconds="x"),
        lambda issuer: issuer.delay_publication(seconds=math.nan),
        lambda issuer: issuer.delay_publication(seconds=10**400),
        lambda issuer: issuer.delay_publication(seconds=-1),
        lambda issuer: issuer.delay_publication(seconds=86_401),
    ],
)
def test_invalid_calls_are_rejected_in_process(
    fake_issuer: RunningIssuer, call: Callable[[RunningIssuer], object]
) -> None:
    before = fake_issuer.keys()
    with pytest.raises(InvalidRequestError):
        call(fake_issuer)
    assert fake_issuer.keys() == before


def test_arguments_and_results_are_copies(fake_issuer: RunningIssuer) -> None:
    """A reset cannot restore shared objects that a test has changed."""
    team = {"names": ["a"]}
    fake_issuer.put("users", "ann", claims={"team": team})
    minted = fake_issuer.mint(sub="ann", claims={"deep": team})
    published = fake_issuer.key_set()
    before = (fake_issuer.get("users", "ann"), published["keys"][0]["n"])
    team["names"].append("b")
    fake_issuer.get("users", "ann").claims["team"]["names"].append("c")
    published["keys"][0]["n"] = "x"
    minted.claims["exp"] = 0
    assert (fake_issuer.get("users", "ann"), fake_issuer.key_set()["keys"][0]["n"]) == before
    assert fake_issuer.mint(sub="ann", claims={}).claims["team"] == {"names": ["a"]}


def test_a_changed_result_does_not_change_the_minted_token(fake_issuer: RunningIssuer, ask: Callable[..., Any]) -> None:
    minted = fake_issuer.mint(sub="alice@example.com")
    minted.claims["exp"] = 0
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    assert ask(url, "POST", form={"token": minted.token}, client=API).json()["active"]


def test_removing_a_user_ends_their_tokens_and_sessions(
    fake_issuer: RunningIssuer,
    browser: Browser,
    code: Callable[..., str],
    redeem: Callable[..., Any],
    ask: Callable[..., Any],
) -> None:
    got = redeem("authorization_code", code=code(scope="openid offline_access"), redirect_uri=CALLBACK).json()
    other = fake_issuer.token(sub="bob@example.com", scp="openid")
    fake_issuer.remove("users", "alice@example.com")
    userinfo = f"{fake_issuer.issuer_url()}/v1/userinfo"
    assert ask(userinfo, headers={"Authorization": f"Bearer {got['access_token']}"}).status == 401
    assert ask(userinfo, headers={"Authorization": f"Bearer {other}"}).status == 200
    assert redeem("refresh_token", refresh_token=got["refresh_token"]).status == 400
    assert redirected(browser.authorize(prompt="none"))["error"] == "login_required"
