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
    return read_credentials(request(*fields, **kwargs), sources)  # type: ignore[arg-type]  # rows of the tables below


FOUND = {
    "in the header": (["Authorization: Bearer abc"], {}, "header"),
    "in a form": ([FORM], {"method": "POST", "body": b"a=b&access_token=abc"}, "form"),
    "in a form with a charset": ([f"{FORM}; charset=UTF-8"], {"method": "PUT", "body": b"access_token=abc"}, "form"),
    "in the query": ([], {"uri": "/?a=b&access_token=abc"}, "query"),
    "in a cookie": (["Cookie: a=b; token=abc; c=d"], {}, "cookie"),
    "in a quoted cookie": (['Cookie: token="abc"'], {}, "cookie"),
    "in the second field of cookies": (["Cookie: a=b", "Cookie: token=abc"], {}, "cookie"),
}


@pytest.mark.parametrize(("fields", "options", "source"), FOUND.values(), ids=FOUND.keys())
def test_a_token_is_read_only_from_the_configured_sources(
    fields: list[str], options: dict[str, object], source: str
) -> None:
    for names in (ALL, [source]):
        credentials = _read(names, *fields, **options)
        assert credentials is not None
        assert ("abc", source) == (credentials.token, credentials.place)
    assert _read([name for name in ALL if name != source], *fields, **options) is None


ABSENT = {
    "nothing": ([], {}),
    "a form in the body of a GET": ([FORM], {"body": b"access_token=abc"}),
    "a form in the body of a DELETE": ([FORM], {"method": "DELETE", "body": b"access_token=abc"}),
    "a multipart form": (
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


@pytest.mark.parametrize(("fields", "options"), ABSENT.values(), ids=ABSENT.keys())
def test_a_token_elsewhere_is_ignored(fields: list[str], options: dict[str, object]) -> None:
    assert _read(ALL, *fields, **options) is None


BEARER = "Authorization: Bearer abc"
REJECTED = {
    "header and query": ([BEARER], {"uri": "/?access_token=abc"}, Reason.SEVERAL_CREDENTIALS),
    "header and form": ([BEARER, FORM], {"method": "POST", "body": b"access_token=x"}, Reason.SEVERAL_CREDENTIALS),
    "header and cookie": ([BEARER, "Cookie: token=abc"], {}, Reason.SEVERAL_CREDENTIALS),
    "two in the query": ([], {"uri": "/?access_token=a&access_token=a"}, Reason.SEVERAL_CREDENTIALS),
    "two in a form": ([FORM], {"method": "POST", "body": b"access_token=a&access_token=b"}, Reason.SEVERAL_CREDENTIALS),
    "two cookies of the same name": (["Cookie: token=a; token=b"], {}, Reason.SEVERAL_CREDENTIALS),
    "cookies of the same name in two fields": (["Cookie: token=a", "Cookie: token=b"], {}, Reason.SEVERAL_CREDENTIALS),
    "an empty parameter": ([], {"uri": "/?access_token="}, Reason.MALFORMED_CREDENTIALS),
    "a non-ASCII parameter": ([], {"uri": "/?access_token=%C3%A9"}, Reason.MALFORMED_CREDENTIALS),
    "a space in a form": ([FORM], {"method": "POST", "body": b"access_token=a+b"}, Reason.MALFORMED_CREDENTIALS),
    "an empty cookie": (["Cookie: token="], {}, Reason.MALFORMED_CREDENTIALS),
}


@pytest.mark.parametrize(("fields", "options", "reason"), REJECTED.values(), ids=REJECTED.keys())
def test_several_or_malformed_tokens_are_rejected(
    fields: list[str], options: dict[str, object], reason: Reason
) -> None:
    with pytest.raises(InvalidRequest) as error:
        _read(ALL, *fields, **options)
    assert reason is error.value.reason


@given(st.binary())
def test_any_body_gives_credentials_none_or_an_invalid_request(body: bytes) -> None:
    try:
        credentials = _read(["form"], FORM, method="POST", body=body)
    except InvalidRequest:
        return
    assert credentials is None or b"access_token" in body


@pytest.mark.parametrize("value", ["form", ["header", "cookie"], ("query",)])
def test_source_names_are_parsed(value: str | Sequence[str]) -> None:
    assert ((value,) if isinstance(value, str) else tuple(value)) == parse_sources(value, cookie="__Host-t")


@pytest.mark.parametrize(
    ("value", "cookie", "message"),
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
def test_invalid_source_names_are_rejected(value: object, cookie: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        parse_sources(value, cookie=cookie)
