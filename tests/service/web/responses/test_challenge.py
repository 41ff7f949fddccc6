from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import (
    AccessDenied,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    IssuerUnavailable,
    MissingToken,
    Reason,
    TokenError,
    TooManyRequests,
)
from service.web.responses.challenge import (
    error_response_for,
    error_response_for_status,
    parse_challenges,
)
from service.web.responses.descriptions import DESCRIPTIONS

RESPONSES: list[tuple[TokenError, int, str, str]] = [
    (MissingToken(), 401, "missing_token", 'Bearer realm="api"'),
    (
        InvalidRequest(Reason.SEVERAL_CREDENTIALS),
        400,
        "invalid_request",
        (
            'Bearer realm="api", error="invalid_request", '
            'error_description="The request carries more than one credential, send exactly one"'
        ),
    ),
    (
        InvalidToken(Reason.EXPIRED, "3 s ago"),
        401,
        "invalid_token",
        'Bearer realm="api", error="invalid_token", error_description="The access token has expired"',
    ),
    (
        InsufficientScope({"b", "a"}),
        403,
        "insufficient_scope",
        (
            'Bearer realm="api", error="insufficient_scope", '
            'error_description="The access token lacks a scope that this resource needs", scope="a b"'
        ),
    ),
    (
        AccessDenied(Reason.GROUP_REQUIRED, "sesame"),
        403,
        "insufficient_scope",
        (
            'Bearer realm="api", error="insufficient_scope", '
            'error_description="The user of the access token is not in a group that this resource needs"'
        ),
    ),
    (
        InsufficientAuthentication(Reason.INSUFFICIENT_ACR, "sesame", acr_values=["phrh", "phr"], max_age=0),
        401,
        "insufficient_user_authentication",
        (
            'Bearer realm="api", error="insufficient_user_authentication", '
            'error_description="A stronger authentication of the user is required", acr_values="phrh phr", max_age="0"'
        ),
    ),
    (
        InsufficientAuthentication(Reason.AUTHENTICATION_TOO_OLD),
        401,
        "insufficient_user_authentication",
        (
            'Bearer realm="api", error="insufficient_user_authentication", '
            'error_description="A more recent authentication of the user is required"'
        ),
    ),
]


@pytest.mark.parametrize(("error", "status", "code", "challenge"), RESPONSES, ids=lambda value: str(value)[:30])
def test_each_error_has_a_response_with_a_challenge(error: TokenError, status: int, code: str, challenge: str) -> None:
    response = error_response_for(error, realm="api")
    assert (status, code, (challenge,)) == (response.status, response.error, response.challenges)


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (MissingToken(), 'Bearer realm="api", resource_metadata="https://a.example/m"'),
        (InsufficientScope({"a"}), ', scope="a", resource_metadata="https://a.example/m"'),
        (
            InsufficientAuthentication(Reason.INSUFFICIENT_ACR, acr_values=["phr"]),
            ', resource_metadata="https://a.example/m", acr_values="phr"',
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_challenge_carries_the_metadata_url(error: TokenError, end: str) -> None:
    response = error_response_for(error, realm="api", resource_metadata="https://a.example/m")
    assert response.header_fields()["WWW-Authenticate"].endswith(end)


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (1.0, "1"), (4.1, "5"), (60.0, "60")])
def test_an_unavailable_issuer_gives_503_without_a_challenge(seconds: float, header: str) -> None:
    response = error_response_for(IssuerUnavailable("connection refused", retry_after=seconds), realm="api")
    assert (503, {"Retry-After": header}) == (response.status, response.headers)


def test_too_many_requests_give_429_without_a_challenge() -> None:
    response = error_response_for(TooManyRequests("more than 300 a minute", retry_after=4.1), realm="api")
    assert (429, "too_many_requests", {"Retry-After": "5"}) == (response.status, response.error, response.headers)


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_description_in_the_allowed_characters(reason: Reason) -> None:
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", DESCRIPTIONS[reason])


@given(st.sampled_from(sorted(Reason)), st.text(), st.text())
def test_details_are_kept_out_of_the_response(reason: Reason, detail: str, claim: str) -> None:
    with_detail = error_response_for(InvalidToken(reason, detail, claim=claim), realm="api")
    assert error_response_for(InvalidToken(reason), realm="api") == with_detail


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "invalid_request"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (418, "invalid_request"),
        (500, "server_error"),
        (502, "server_error"),
    ],
)
def test_other_error_statuses_have_a_response(status: int, error: str) -> None:
    response = error_response_for_status(status)
    assert (status, error) == (response.status, response.error)
    assert response.description


@pytest.mark.parametrize(
    ("value", "challenges"),
    [
        ((), ()),
        ('Basic realm="old"', ('Basic realm="old"',)),
        (["Negotiate", 'Digest realm="a", qop=auth'], ("Negotiate", 'Digest realm="a", qop=auth')),
    ],
)
def test_challenges_of_other_schemes_are_parsed(value: object, challenges: tuple[str, ...]) -> None:
    assert challenges == parse_challenges(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "a string or a list of strings"),
        ([7], "is not a challenge"),
        ("Basic realm", "is not a challenge"),
        ('Basic realm="a"\r\nX-Evil: 1', "is not a challenge"),
        ('bearer realm="mine"', "repeats a challenge"),
    ],
)
def test_malformed_and_bearer_challenges_are_rejected(value: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        parse_challenges(value)
