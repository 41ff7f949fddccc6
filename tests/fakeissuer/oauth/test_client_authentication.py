from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.oauth.client_authentication import ClientCredentials, authenticate, read_credentials
from fakeissuer.state.seed import SERVICE_APP, SINGLE_PAGE_APP
from fakeissuer.state.state import IssuerState

ENDPOINT = "http://127.0.0.1:9400/oauth2/default/v1/token"


def basic(text: str) -> list[str]:
    return ["Basic " + base64.b64encode(text.encode()).decode()]


def error_of(state: IssuerState, authorization: list[str], form: dict[str, str], query: dict[str, str]) -> ErrorCase:
    with pytest.raises(OAuthError) as caught:
        authenticate(state, read_credentials(authorization, form, query), ENDPOINT)
    return caught.value.case


@pytest.mark.parametrize(
    ("authorization", "form", "query"),
    [
        (basic(f"{SERVICE_APP}:service-secret-for-tests-only-0000001"), {}, {}),
        (["bAsIc  " + basic(f"{SERVICE_APP}:service-secret-for-tests-only-0000001")[0][6:]], {}, {}),
        (basic(f"{SERVICE_APP}:service%2Dsecret%2Dfor-tests-only-0000001"), {}, {}),
        (basic(f"{SERVICE_APP}:service-secret-for-tests-only-0000001"), {"client_id": SERVICE_APP}, {}),
        ([], {"client_id": SERVICE_APP, "client_secret": "service-secret-for-tests-only-0000001"}, {}),
        ([], {"client_id": SINGLE_PAGE_APP}, {}),
        ([], {}, {"client_id": SINGLE_PAGE_APP}),
        (basic(SINGLE_PAGE_APP), {}, {}),
    ],
)
def test_valid_credentials_authenticate_a_client(
    state: IssuerState, authorization: list[str], form: dict[str, str], query: dict[str, str]
) -> None:
    assert authenticate(state, read_credentials(authorization, form, query), ENDPOINT).id in (
        SERVICE_APP,
        SINGLE_PAGE_APP,
    )


@pytest.mark.parametrize(
    ("authorization", "form", "query", "case"),
    [
        ([], {}, {}, ErrorCase.NO_CLIENT_CREDENTIALS),
        (["Bearer x"], {}, {}, ErrorCase.NO_CLIENT_CREDENTIALS),
        ([], {"client_id": SERVICE_APP}, {}, ErrorCase.NO_CLIENT_CREDENTIALS),
        ([], {"client_id": SERVICE_APP, "client_secret": ""}, {}, ErrorCase.WRONG_SECRET),
        (basic("unknown:x"), {}, {}, ErrorCase.UNKNOWN_CLIENT),
        ([], {"client_id": "unknown"}, {}, ErrorCase.UNKNOWN_CLIENT),
        (basic(f"{SERVICE_APP}:wrong"), {}, {}, ErrorCase.WRONG_SECRET),
        (basic(f"{SERVICE_APP}:sérvice"), {}, {}, ErrorCase.WRONG_SECRET),
        (basic(f"{SINGLE_PAGE_APP}:x"), {}, {}, ErrorCase.WRONG_METHOD),
        ([], {"client_id": SERVICE_APP, "client_assertion": "x"}, {}, ErrorCase.ASSERTION_TYPE),
        ([], {"client_assertion": "x", "client_assertion_type": "saml"}, {}, ErrorCase.ASSERTION_TYPE),
        ([], {}, {"client_assertion": "x"}, ErrorCase.SECRET_IN_QUERY),
        (["Basic !"], {}, {}, ErrorCase.BASIC_MALFORMED),
        (["Basic /w=="], {}, {}, ErrorCase.BASIC_MALFORMED),
        (basic(SERVICE_APP), {}, {}, ErrorCase.NO_CLIENT_CREDENTIALS),
        (basic(""), {}, {}, ErrorCase.BASIC_MALFORMED),
        (basic(":secret"), {}, {}, ErrorCase.BASIC_MALFORMED),
        (basic(f"{SERVICE_APP}:x") * 2, {}, {}, ErrorCase.TWO_METHODS),
        (basic(f"{SERVICE_APP}:x"), {"client_secret": "x"}, {}, ErrorCase.TWO_METHODS),
        (basic(f"{SERVICE_APP}:x"), {"client_id": "another"}, {}, ErrorCase.TWO_METHODS),
        ([], {"client_secret": "x", "client_assertion": "x"}, {}, ErrorCase.TWO_METHODS),
        (
            [],
            {},
            {"client_id": SERVICE_APP, "client_secret": "service-secret-for-tests-only-0000001"},
            ErrorCase.SECRET_IN_QUERY,
        ),
    ],
)
def test_invalid_credentials_are_rejected(
    state: IssuerState, authorization: list[str], form: dict[str, str], query: dict[str, str], case: ErrorCase
) -> None:
    assert error_of(state, authorization, form, query) is case


@pytest.mark.parametrize("secret", ["a+b%c", "a+b", "100%", "%41", "a b", "é%2B"])
@pytest.mark.parametrize("encode", [str, quote_plus, quote])
def test_a_secret_in_basic_may_be_form_encoded_or_plain(
    state: IssuerState, secret: str, encode: Callable[[str], str]
) -> None:
    state.registry.put("clients", "odd", {"name": "odd", "secret": secret})
    credentials = read_credentials(basic(f"odd:{encode(secret)}"), {}, {})
    assert authenticate(state, credentials, ENDPOINT).id == "odd"
    for wrong in (secret[:-1], f"{secret}x", quote_plus(quote_plus(f"{secret}+"))):
        assert error_of(state, basic(f"odd:{wrong}"), {}, {}) is ErrorCase.WRONG_SECRET


def test_the_strict_profile_requires_a_secret_in_basic() -> None:
    with pytest.raises(OAuthError) as caught:
        read_credentials(basic(SINGLE_PAGE_APP), {}, {}, is_strict=True)
    assert caught.value.case is ErrorCase.BASIC_MALFORMED


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_any_authorization_field_is_read_or_rejected(field: str) -> None:
    with suppress(OAuthError):
        read_credentials([field], {}, {})


def test_credentials_do_not_show_their_secret() -> None:
    assert "hidden" not in repr(ClientCredentials(method="client_secret_post", client_id="x", secret="hidden"))
