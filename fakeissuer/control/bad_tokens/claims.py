"""Tokens with missing, wrong or malformed claims (RFC 7519 section 4.1, RFC 9068 section 4)."""

from __future__ import annotations

from functools import partial
from typing import Any

from fakeissuer.control.bad_tokens.headers import DEEP_LEVELS
from fakeissuer.control.bad_tokens.token_builder import HOUR_S, Row, TokenBuilder
from fakeissuer.control.jws_parts import ABSENT
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import RawJSON

_NUMERIC_DATE = "{} is a finite JSON number"
_INVALID_NUMERIC_DATES: dict[str, Any] = {
    "text": "4102444800",
    "true": True,
    "null": None,
    "list": [4_102_444_800],
    "object": {"seconds": 4_102_444_800},
    "nan": RawJSON("NaN"),
    "infinity": RawJSON("Infinity"),
    "1e400": RawJSON("1e400"),
    "5000-digits": RawJSON("9" * 5000),
}
"""Values that some parsers accept as a NumericDate, some of them accepted by Python's JSON parser only."""

_NOT_TEXTS: dict[str, Any] = {"number": 7, "true": True, "null": None, "list": ["alice"], "object": {"id": "alice"}}
_SCOPE_SEPARATORS = {"tab": "\t", "line-end": "\n", "no-break-space": "\u00a0", "em-space": "\u2003"}


def _with_claims(changes: dict[str, Any], builder: TokenBuilder) -> str:
    """Return a token that is valid except for these claims."""
    return builder.token(claims=builder.claims(**changes))


def _with_date_offset(name: str, seconds: int, builder: TokenBuilder) -> str:
    """Return a token with a NumericDate so many seconds from now."""
    return builder.token(claims=builder.claims(**{name: builder.now + seconds}))


def expired(builder: TokenBuilder) -> str:
    """Return a token that expired ten minutes ago, beyond any leeway."""
    return builder.token(claims=builder.claims(iat=builder.now - HOUR_S - 600, exp=builder.now - 600))


def _with_duplicate(name: str, first_value: Any, builder: TokenBuilder) -> str:
    """Return a token with a duplicate claim; parsers that keep the last value accept it."""
    return builder.token(claims=raw_jws.json_object([(name, first_value), *builder.claims().items()]))


def _reencoded(encoding: str, builder: TokenBuilder) -> str:
    """Return a token whose payload is JSON in another encoding than UTF-8."""
    text = raw_jws.json_object(builder.claims(note="é").items()).decode()
    return builder.token(claims=text.encode(encoding))


def _raw_payload(payload: bytes, builder: TokenBuilder) -> str:
    """Return a token with these bytes as the payload."""
    return builder.token(claims=payload)


ROWS = (
    Row("exp-past", "the token has not expired", expired),
    Row("exp-missing", "exp is there", partial(_with_claims, {"exp": ABSENT})),
    *(
        Row(f"{name}-{kind}", _NUMERIC_DATE.format(name), partial(_with_claims, {name: value}))
        for name in ("exp", "nbf", "iat")
        for kind, value in _INVALID_NUMERIC_DATES.items()
    ),
    Row("nbf-future", "the token may be used already", partial(_with_date_offset, "nbf", HOUR_S)),
    Row("iat-future", "the token was issued in the past", partial(_with_date_offset, "iat", HOUR_S // 2)),
    Row("iss-missing", "iss is there", partial(_with_claims, {"iss": ABSENT})),
    Row("iss-null", "iss is a text", partial(_with_claims, {"iss": None})),
    Row("iss-list", "iss is a text", lambda builder: _with_claims({"iss": [builder.issuer]}, builder)),
    Row("iss-elsewhere", "iss is the trusted issuer", partial(_with_claims, {"iss": "https://issuer.example"})),
    Row(
        "iss-of-another-server",
        "iss is the trusted issuer",
        lambda builder: _with_claims({"iss": builder.state.urls.issuer(builder.other_server)}, builder),
    ),
    Row(
        "iss-with-slash",
        "iss is the trusted issuer, character by character",
        lambda builder: _with_claims({"iss": builder.issuer + "/"}, builder),
    ),
    Row(
        "iss-in-upper-case",
        "iss is the trusted issuer, character by character",
        lambda builder: _with_claims({"iss": builder.issuer.upper()}, builder),
    ),
    Row(
        "iss-begins-right",
        "iss is the trusted issuer, to its last character",
        lambda builder: _with_claims({"iss": builder.issuer + ".attacker.example"}, builder),
    ),
    Row("aud-missing", "aud is there", partial(_with_claims, {"aud": ABSENT})),
    Row("aud-null", "aud is a text or a list of texts", partial(_with_claims, {"aud": None})),
    Row("aud-number", "aud is a text or a list of texts", partial(_with_claims, {"aud": 1})),
    Row(
        "aud-object",
        "aud is a text or a list of texts",
        lambda builder: _with_claims({"aud": {builder.server.audience: True}}, builder),
    ),
    Row("aud-empty-list", "the audience is in aud", partial(_with_claims, {"aud": []})),
    Row("aud-elsewhere", "the audience is in aud", partial(_with_claims, {"aud": "api://elsewhere"})),
    Row(
        "aud-list-elsewhere",
        "the audience is in aud",
        partial(_with_claims, {"aud": ["api://elsewhere", "api://nowhere"]}),
    ),
    Row(
        "aud-begins-right",
        "the audience is in aud, to its last character",
        lambda builder: _with_claims({"aud": builder.server.audience + "/elsewhere"}, builder),
    ),
    *(
        Row(f"{name.replace('_', '-')}-{kind}", f"{name} is a text", partial(_with_claims, {name: value}))
        for name in ("sub", "jti", "client_id")
        for kind, value in _NOT_TEXTS.items()
    ),
    *(
        Row(f"scope-{kind}", "scope is a text or a list of texts", partial(_with_claims, {"scope": value}))
        for kind, value in {"number": 7, "object": {"api:read": True}, "list-with-number": ["api:read", 7]}.items()
    ),
    *(
        Row(f"scope-with-{name}", "only a space separates scopes", partial(_with_claims, {"scope": f"a{text}api:read"}))
        for name, text in _SCOPE_SEPARATORS.items()
    ),
    Row("scope-list-with-space", "a scope has no space", partial(_with_claims, {"scope": ["a api:read"]})),
    Row(
        "cnf-as-bearer",
        "a token that is bound to a key is not accepted without proof of the key",
        partial(_with_claims, {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
    ),
    Row("payload-repeats-exp", "a claim name is there once", partial(_with_duplicate, "exp", 0)),
    Row("payload-repeats-scp", "a claim name is there once", partial(_with_duplicate, "scp", ["api:write"])),
    Row("payload-list", "the payload is an object", partial(_raw_payload, b"[]")),
    Row("payload-text", "the payload is an object", partial(_raw_payload, b'"claims"')),
    Row("payload-not-json", "the payload is JSON", partial(_raw_payload, b"claims")),
    Row("payload-empty", "the payload is there", partial(_raw_payload, b"")),
    Row("payload-latin-1", "the payload is UTF-8", partial(_reencoded, "latin-1")),
    Row("payload-utf-16", "the payload is UTF-8", partial(_reencoded, "utf-16")),
    Row("payload-byte-order-mark", "the payload begins with its object", partial(_reencoded, "utf-8-sig")),
    Row(
        "payload-nested-deeply",
        "the payload's depth is bounded",
        partial(_with_claims, {"note": RawJSON("[" * DEEP_LEVELS + "]" * DEEP_LEVELS)}),
    ),
)
