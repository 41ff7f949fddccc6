from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.oauth.client_authentication import ClientCredentials, authenticate, read_credentials
from fakeissuer.state.seed import SERVICE_APP, SINGLE_PAGE_APP
from fakeissuer.state.state import State

ENDPOINT = "http://127.0.0.1:9400/oauth2/default/v1/token"


def basic(text: str) -> list[str]:
    return ["Basic " + base64.b64encode(text.encode()).decode()]


def refusal_of(state: State, authorization: list[str], form: dict[str, str], query: dict[str, str]) -> Problem:
    with pytest.raises(Refused) as caught:
        authenticate(state, read_credentials(authorization, form, query), ENDPOINT)
    return caught.value.problem


@pytest.mark.parametrize(
    ("authorization", "form", "query"),
    [
        (basic(f"{SERVICE_APP}:service-secret"), {}, {}),
        (["bAsIc  " + basic(f"{SERVICE_APP}:service-secret")[0][6:]], {}, {}),
        (basic(f"{SERVICE_APP}:service%2Dsecret"), {}, {}),
        (basic(f"{SERVICE_APP}:service-secret"), {"client_id": SERVICE_APP}, {}),
        ([], {"client_id": SERVICE_APP, "client_secret": "service-secret"}, {}),
        ([], {"client_id": SINGLE_PAGE_APP}, {}),
        ([], {}, {"client_id": SINGLE_PAGE_APP}),
        (basic(SINGLE_PAGE_APP), {}, {}),
    ],
)
def test_knows_a_client_by_its_credentials(
    state: State, authorization: list[str], form: dict[str, str], query: dict[str, str]
) -> None:
    assert authenticate(state, read_credentials(authorization, form, query), ENDPOINT).id in (
        SERVICE_APP,
        SINGLE_PAGE_APP,
    )


@pytest.mark.parametrize(
    ("authorization", "form", "query", "problem"),
    [
        ([], {}, {}, Problem.NO_CLIENT_CREDENTIALS),
        (["Bearer x"], {}, {}, Problem.NO_CLIENT_CREDENTIALS),
        ([], {"client_id": SERVICE_APP}, {}, Problem.NO_CLIENT_CREDENTIALS),
        ([], {"client_id": SERVICE_APP, "client_secret": ""}, {}, Problem.WRONG_SECRET),
        (basic("unknown:x"), {}, {}, Problem.UNKNOWN_CLIENT),
        ([], {"client_id": "unknown"}, {}, Problem.UNKNOWN_CLIENT),
        (basic(f"{SERVICE_APP}:wrong"), {}, {}, Problem.WRONG_SECRET),
        (basic(f"{SERVICE_APP}:sérvice"), {}, {}, Problem.WRONG_SECRET),
        (basic(f"{SINGLE_PAGE_APP}:x"), {}, {}, Problem.WRONG_METHOD),
        ([], {"client_id": SERVICE_APP, "client_assertion": "x"}, {}, Problem.ASSERTION_TYPE),
        ([], {"client_assertion": "x", "client_assertion_type": "saml"}, {}, Problem.ASSERTION_TYPE),
        ([], {}, {"client_assertion": "x"}, Problem.SECRET_IN_QUERY),
        (["Basic !"], {}, {}, Problem.BASIC_MALFORMED),
        (["Basic /w=="], {}, {}, Problem.BASIC_MALFORMED),
        (basic(SERVICE_APP), {}, {}, Problem.NO_CLIENT_CREDENTIALS),
        (basic(""), {}, {}, Problem.BASIC_MALFORMED),
        (basic(":secret"), {}, {}, Problem.BASIC_MALFORMED),
        (basic(f"{SERVICE_APP}:x") * 2, {}, {}, Problem.TWO_METHODS),
        (basic(f"{SERVICE_APP}:x"), {"client_secret": "x"}, {}, Problem.TWO_METHODS),
        (basic(f"{SERVICE_APP}:x"), {"client_id": "another"}, {}, Problem.TWO_METHODS),
        ([], {"client_secret": "x", "client_assertion": "x"}, {}, Problem.TWO_METHODS),
        ([], {}, {"client_id": SERVICE_APP, "client_secret": "service-secret"}, Problem.SECRET_IN_QUERY),
    ],
)
def test_refuses_each_way_to_get_it_wrong(
    state: State, authorization: list[str], form: dict[str, str], query: dict[str, str], problem: Problem
) -> None:
    assert refusal_of(state, authorization, form, query) is problem


@pytest.mark.parametrize("secret", ["a+b%c", "a+b", "100%", "%41", "a b", "é%2B"])
@pytest.mark.parametrize("encode", [str, quote_plus, quote])
def test_a_secret_in_basic_is_form_encoded_or_as_it_is(state: State, secret: str, encode: Callable[[str], str]) -> None:
    state.directory.put("clients", "odd", {"name": "odd", "secret": secret})
    credentials = read_credentials(basic(f"odd:{encode(secret)}"), {}, {})
    assert authenticate(state, credentials, ENDPOINT).id == "odd"
    for wrong in (secret[:-1], f"{secret}x", quote_plus(quote_plus(f"{secret}+"))):
        assert refusal_of(state, basic(f"odd:{wrong}"), {}, {}) is Problem.WRONG_SECRET


def test_strictly_basic_is_a_name_and_a_secret() -> None:
    with pytest.raises(Refused) as caught:
        read_credentials(basic(SINGLE_PAGE_APP), {}, {}, is_strict=True)
    assert caught.value.problem is Problem.BASIC_MALFORMED


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_reads_any_authorization_field_or_refuses_it(field: str) -> None:
    with suppress(Refused):
        read_credentials([field], {}, {})


def test_credentials_do_not_show_their_secret() -> None:
    assert "hidden" not in repr(ClientCredentials(method="client_secret_post", client_id="x", secret="hidden"))
