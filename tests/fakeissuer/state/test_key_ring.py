from __future__ import annotations

import pytest

from fakeissuer.errors import NotFoundError
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.key_ring import ROTATION_PERIOD_S, KeyRing

START = 1_000_000.0


@pytest.fixture
def ring(pool: KeyPool) -> KeyRing:
    return KeyRing("default", pool, START)


def kids(ring: KeyRing) -> list[str]:
    return [key["kid"] for key in ring.key_set()["keys"]]


def test_the_active_and_next_keys_are_published(ring: KeyRing) -> None:
    assert kids(ring) == [ring.signing_key("active").kid, ring.signing_key("next").kid]


def test_keys_have_okta_members_in_okta_order(ring: KeyRing) -> None:
    for key in ring.key_set()["keys"]:
        assert list(key) == ["kty", "alg", "kid", "use", "e", "n"]
        assert (key["kty"], key["alg"], key["use"], key["e"], len(key["kid"])) == ("RSA", "RS256", "sig", "AQAB", 43)


def test_a_rotation_advances_every_key(ring: KeyRing) -> None:
    before = {status: ring.signing_key(status).kid for status in ("active", "next")}
    ring.rotate(START)
    assert ring.signing_key("active").kid == before["next"]
    assert ring.signing_key("expired").kid == before["active"]
    assert kids(ring) == [before["next"], ring.signing_key("next").kid, before["active"]]


def test_the_expired_key_is_gone_after_the_next_rotation(ring: KeyRing) -> None:
    first = ring.signing_key().kid
    ring.rotate(START)
    ring.rotate(START)
    assert first not in kids(ring)


def test_keys_rotate_when_the_period_ends(ring: KeyRing) -> None:
    upcoming = ring.signing_key("next").kid
    ring.advance_to(START + ROTATION_PERIOD_S - 1)
    assert ring.signing_key().kid != upcoming
    ring.advance_to(START + ROTATION_PERIOD_S)
    assert ring.signing_key().kid == upcoming


@pytest.mark.parametrize("periods", [1, 2, 3, 4, 1000])
def test_missed_rotations_are_applied(ring: KeyRing, periods: int) -> None:
    before = {status.kid for status in ring.statuses()}
    ring.advance_to(START + periods * ROTATION_PERIOD_S)
    assert len(before & {status.kid for status in ring.statuses()}) == max(3 - periods, 0)
    assert ring.rotates_at == START + (periods + 1) * ROTATION_PERIOD_S


def test_the_max_age_counts_down_to_the_rotation(ring: KeyRing) -> None:
    assert ring.max_age_s(START) == ROTATION_PERIOD_S
    assert ring.max_age_s(START + 100.5) == ROTATION_PERIOD_S - 101
    assert ring.max_age_s(START + ROTATION_PERIOD_S + 5) == 0
    assert ring.max_age_s(START - 5) == ROTATION_PERIOD_S


def test_a_withdrawn_key_is_unpublished_and_still_signs(ring: KeyRing) -> None:
    kid = ring.signing_key().kid
    assert ring.withdraw(kid)
    assert kid not in kids(ring)
    assert ring.signing_key().kid == kid


def test_withdrawing_an_unknown_key_does_nothing(ring: KeyRing) -> None:
    before = kids(ring)
    assert not ring.withdraw("unknown")
    assert kids(ring) == before


def test_a_delayed_key_signs_before_it_is_published(ring: KeyRing) -> None:
    before = kids(ring)
    ring.delay_publication(START)
    assert ring.signing_key().kid not in before
    assert set(kids(ring)) == set(before)
    ring.publish_now()
    assert ring.signing_key().kid in kids(ring)


def test_a_delayed_key_is_published_after_the_delay(ring: KeyRing) -> None:
    ring.delay_publication(START, hidden_until=START + 30)
    ring.advance_to(START + 29)
    assert ring.signing_key().kid not in kids(ring)
    ring.advance_to(START + 30)
    assert ring.signing_key().kid in kids(ring)


def test_a_rotation_publishes_a_delayed_key(ring: KeyRing) -> None:
    ring.delay_publication(START)
    lagging = ring.signing_key().kid
    ring.rotate(START)
    assert lagging in kids(ring)


def test_an_extra_key_is_published_until_it_is_withdrawn(ring: KeyRing) -> None:
    ring.publish_extra("odd", {"kty": "AKP", "kid": "odd-kid"})
    ring.publish_extra("odd", {"kty": "AKP", "kid": "odd-kid"})
    assert kids(ring).count("odd-kid") == 1
    assert ring.withdraw("odd-kid")
    assert "odd-kid" not in kids(ring)


def test_a_key_is_found_by_its_kid(ring: KeyRing) -> None:
    key = ring.signing_key("next")
    assert ring.find(key.kid) == key
    with pytest.raises(NotFoundError):
        ring.find("unknown")


def test_two_servers_have_different_keys(pool: KeyPool) -> None:
    assert not set(kids(KeyRing("default", pool, START))) & set(kids(KeyRing("partner", pool, START)))
