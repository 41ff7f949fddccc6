from __future__ import annotations

from fakeissuer.state.sessions import LIFETIME_S, MAX_PENDING, Session, Sessions


def test_signing_in_changes_the_cookie_and_the_csrf_token() -> None:
    session = Session()
    planted = {session.cookie, session.csrf}
    session.sign_in("alice", 100)
    assert len(planted | {session.cookie, session.csrf}) == 4
    assert not session.is_expired(99 + LIFETIME_S)
    assert session.is_expired(100 + LIFETIME_S)


def test_consent_applies_to_one_user_and_client() -> None:
    session = Session()
    session.sign_in("alice", 1)
    session.consent("app", ["a", "b"])
    assert session.has_consented("app", ["a"])
    assert not session.has_consented("app", ["c"])
    assert not session.has_consented("another", ["a"])
    session.sign_in("alice", 2)
    assert session.has_consented("app", ["a"])
    session.sign_in("bob", 3)
    assert not session.has_consented("app", ["a"])


def test_requested_two_factor_authentication_is_in_acr_and_amr() -> None:
    session = Session()
    session.sign_in("alice", 1, ["urn:okta:loa:2fa:any"])
    assert (session.acr, session.amr) == ("urn:okta:loa:2fa:any", ("mfa", "otp", "pwd"))
    session.sign_out()
    assert (session.login, session.acr) == (None, None)


def test_the_number_of_interactions_is_limited() -> None:
    session = Session()
    for number in range(MAX_PENDING + 1):
        session.add_interaction(str(number), number)
    assert (session.get("0"), session.get("1")) == (None, 1)


def test_a_replaced_cookie_is_invalid() -> None:
    sessions = Sessions()
    session = sessions.get_or_create(None, 1)
    sessions.save(session, None, 1)
    old = session.cookie
    assert sessions.get_or_create(old, 2) is session
    session.sign_in("alice", 2)
    sessions.save(session, old, 2)
    assert sessions.get_or_create(old, 3) is not session
    assert sessions.get_or_create(session.cookie, 3) is session
    sessions.clear()
    assert sessions.get_or_create(session.cookie, 3) is not session


def test_ending_a_users_sessions_keeps_those_of_others() -> None:
    sessions, kept = Sessions(), [Session() for _ in range(3)]
    for session, login in zip(kept, ("alice", "bob", "alice"), strict=True):
        session.sign_in(login, 1)
        sessions.save(session, None, 1)
    sessions.end("alice", 2)
    assert [session.login for session in kept] == [None, "bob", None]
