from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requesting import request

from service.errors import InvalidRequest, Reason
from service.tokens.credentials import Credentials
from service.web.credentials.sources import parse_sources, read_credentials, source_functions

FORM = "Content-Type: application/x-www-form-urlencoded"
ALL = ("header", "form", "query", "cookie")


def _read(names: Sequence[str], *fields: str, **kwargs: object) -> Credentials | None:
    sources = source_functions(names, cookie="token")
    return read_credentials(request(*fields, **kwargs), sources)  # type: ignore[arg-type]  # a table's row


FOUND = {
    "in the header": (["Authorization: Bearer abc"], {}, "header"),
    "in a form": ([FORM], {"method": "POST", "body": b"a=b&access_token=abc"}, "form"),
    "in a form with a charset": ([f"{FORM}; charset=UTF-8"], {"method": "PUT", "body": b"access_token=abc"}, "form"),
    "in the query": ([], {"uri": "/?a=b&access_token=abc"}, "query"),
    "in a cookie": (["Cookie: a=b; token=abc; c=d"], {}, "cookie"),
    "in a quoted cookie": (['Cookie: token="abc"'], {}, "cookie"),
    "in the second field of cookies": (["Cookie: a=b", "Cookie: token=abc"], {}, "cookie"),
}


@pytest.mark.parametrize(("fields", "terms", "place"), FOUND.values(), ids=FOUND.keys())
def test_finds_a_token_only_where_it_was_told_to_look(fields: list[str], terms: dict[str, object], place: str) -> None:
    for names in (ALL, [place]):
        credentials = _read(names, *fields, **terms)
        assert credentials is not None
        assert ("abc", place) == (credentials.token, credentials.place)
    assert _read([name for name in ALL if name != place], *fields, **terms) is None


NONE = {
    "nothing": ([], {}),
    "a form in the body of a GET": ([FORM], {"body": b"access_token=abc"}),
    "a form in the body of a DELETE": ([FORM], {"method": "DELETE", "body": b"access_token=abc"}),
    "a form of several parts": (
        ["Content-Type: multipart/form-data; boundary=b"],
        {
            "method": "POST",
            "body": b'--b\r\nContent-Disposition: form-data; name="access_token"\r\n\r\nabc\r\n--b--\r\n',
        },
    ),
    "JSON": (["Content-Type: application/json"], {"method": "POST", "body": b'{"access_token": "abc"}'}),
    "another cookie": (["Cookie: mytoken=abc; token2=abc; Token=abc"], {}),
    "another parameter": ([], {"uri": "/?token=abc"}),
}


@pytest.mark.parametrize(("fields", "terms"), NONE.values(), ids=NONE.keys())
def test_finds_no_token_in(fields: list[str], terms: dict[str, object]) -> None:
    assert _read(ALL, *fields, **terms) is None


BEARER = "Authorization: Bearer abc"
REFUSED = {
    "header and query": ([BEARER], {"uri": "/?access_token=abc"}, Reason.SEVERAL_CREDENTIALS),
    "header and form": ([BEARER, FORM], {"method": "POST", "body": b"access_token=x"}, Reason.SEVERAL_CREDENTIALS),
    "header and cookie": ([BEARER, "Cookie: token=abc"], {}, Reason.SEVERAL_CREDENTIALS),
    "two in the query": ([], {"uri": "/?access_token=a&access_token=a"}, Reason.SEVERAL_CREDENTIALS),
    "two in a form": ([FORM], {"method": "POST", "body": b"access_token=a&access_token=b"}, Reason.SEVERAL_CREDENTIALS),
    "two cookies of a name": (["Cookie: token=a; token=b"], {}, Reason.SEVERAL_CREDENTIALS),
    "cookies of a name in two fields": (["Cookie: token=a", "Cookie: token=b"], {}, Reason.SEVERAL_CREDENTIALS),
    "an empty parameter": ([], {"uri": "/?access_token="}, Reason.MALFORMED_CREDENTIALS),
    "a parameter beyond ASCII": ([], {"uri": "/?access_token=%C3%A9"}, Reason.MALFORMED_CREDENTIALS),
    "a space in a form": ([FORM], {"method": "POST", "body": b"access_token=a+b"}, Reason.MALFORMED_CREDENTIALS),
    "an empty cookie": (["Cookie: token="], {}, Reason.MALFORMED_CREDENTIALS),
}


@pytest.mark.parametrize(("fields", "terms", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(fields: list[str], terms: dict[str, object], reason: Reason) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        _read(ALL, *fields, **terms)
    assert reason is refusal.value.reason


@given(st.binary())
def test_any_body_gives_a_credential_none_or_a_refusal(body: bytes) -> None:
    try:
        credentials = _read(["form"], FORM, method="POST", body=body)
    except InvalidRequest:
        return
    assert credentials is None or b"access_token" in body


@pytest.mark.parametrize("value", ["form", ["header", "cookie"], ("query",)])
def test_reads_the_names_of_sources(value: str | Sequence[str]) -> None:
    assert ((value,) if isinstance(value, str) else tuple(value)) == parse_sources(value, cookie="__Host-t")


@pytest.mark.parametrize(
    ("value", "cookie", "complaint"),
    [
        (7, "t", "a name or a list"),
        ([], "t", "is empty"),
        ("body", "t", "holds 'body'"),
        (["header", 7], "t", "holds 7"),
        ("header query", "t", "holds 'header query'"),
        ("cookie", "a b", "the name of a cookie"),
        ("cookie", "", "the name of a cookie"),
        ("cookie", "a;b", "the name of a cookie"),
        ("cookie", None, "the name of a cookie"),
    ],
)
def test_refuses_at_start(value: object, cookie: object, complaint: str) -> None:
    with pytest.raises((TypeError, ValueError), match=complaint):
        parse_sources(value, cookie=cookie)
