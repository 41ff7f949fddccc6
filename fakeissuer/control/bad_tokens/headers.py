"""Tokens with a malformed or dangerous JOSE header (RFC 7515 section 4, RFC 8725 sections 3.10 and 3.11)."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from fakeissuer.control.bad_tokens.token_builder import Row, TokenBuilder
from fakeissuer.jose import raw_jws

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

_KEY_FROM_HEADER = "a key that the token itself brings or points to is never used"
_CRITICAL = "a critical extension that is not understood makes the token invalid"
_KID_TEXT = "kid is a text"
OTHER_TYPES = (
    "JWS",
    "JOSE+JSON",
    "client-authentication+jwt",
    "dc+sd-jwt",
    "dpop+jwt",
    "entity-statement+jwt",
    "kb+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "oauth-id-jag+jwt",
    "rt+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
    "txntoken+jwt",
    "application/token-introspection+jwt",
)
"""Types of other profiles of JWT (RFC 8725 section 3.11)."""
DEEP_LEVELS = 3000
"""Nesting that exhausts the stack of a recursive parser and still fits into 16 KiB."""


def _with_header(members: dict[str, Any], builder: TokenBuilder) -> str:
    """Return a token that is valid except for these header members."""
    return builder.token(header=builder.header(**members))


def _attackers_token(builder: TokenBuilder, **members: Any) -> str:
    """Return a token signed by an attacker whose header refers to the attacker's key."""
    return builder.token(
        header=builder.header(kid=builder.attacker_key.kid, **members), sign=builder.signer(builder.attacker_key)
    )


def _with_certificate(builder: TokenBuilder) -> str:
    """Return a token with an embedded certificate for the attacker's key."""
    from fakeissuer.jose.x5c import self_signed  # noqa: PLC0415  # slow to import, needed with the first key

    certificate = self_signed(builder.attacker_key)
    return _attackers_token(builder, x5c=[certificate])


def _compressed(builder: TokenBuilder) -> str:
    """Return a token with a deflated payload, which only JWE supports."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    payload = deflate.compress(raw_jws.json_object(builder.claims().items())) + deflate.flush()
    return builder.token(header=builder.header(zip="DEF"), claims=payload)


def _with_duplicate(name: str, first_value: str, builder: TokenBuilder) -> str:
    """Return a token with a duplicate header parameter; parsers that keep the last value accept it."""
    return builder.token(header=raw_jws.json_object([(name, first_value), *builder.header().items()]))


def _reencoded(encoding: str, builder: TokenBuilder) -> str:
    """Return a token whose header is JSON in another encoding than UTF-8."""
    text = raw_jws.json_object({**builder.header(), "note": "é"}.items()).decode()
    return builder.token(header=text.encode(encoding))


def _raw_header(header: bytes, builder: TokenBuilder) -> str:
    """Return a token with these bytes as the header."""
    return builder.token(header=header)


def _nested(builder: TokenBuilder) -> str:
    """Return a token with a deeply nested header parameter."""
    return builder.token(header=builder.header(note=raw_jws.RawJSON("[" * DEEP_LEVELS + "]" * DEEP_LEVELS)))


def _public(key: SigningKey) -> dict[str, Any]:
    return {name: value for name, value in key.public.items() if name in ("kty", "e", "n")}


ROWS = (
    Row("jwk-embedded", _KEY_FROM_HEADER, lambda builder: _attackers_token(builder, jwk=_public(builder.attacker_key))),
    Row(
        "jku-elsewhere",
        _KEY_FROM_HEADER,
        lambda builder: _attackers_token(builder, jku="https://attacker.example/keys"),
    ),
    Row(
        "x5u-elsewhere",
        _KEY_FROM_HEADER,
        lambda builder: _attackers_token(builder, x5u="https://attacker.example/cert.pem"),
    ),
    Row("x5c-embedded", _KEY_FROM_HEADER, _with_certificate),
    Row("kid-number", _KID_TEXT, partial(_with_header, {"kid": 1})),
    Row("kid-list", _KID_TEXT, lambda builder: _with_header({"kid": [builder.key.kid]}, builder)),
    Row("kid-very-long", "kid is bounded and names a key of the key set", partial(_with_header, {"kid": "k" * 4096})),
    Row("crit-unknown", _CRITICAL, partial(_with_header, {"crit": ["urgent"], "urgent": True})),
    Row("crit-standard-name", "crit does not name what RFC 7515 defines", partial(_with_header, {"crit": ["alg"]})),
    Row("crit-empty", "crit is not an empty list", partial(_with_header, {"crit": []})),
    Row("crit-text", "crit is a list", partial(_with_header, {"crit": "exp"})),
    Row("b64-false", "an unencoded payload is not accepted", partial(_with_header, {"b64": False, "crit": ["b64"]})),
    Row("b64-false-not-critical", "an unencoded payload is not accepted", partial(_with_header, {"b64": False})),
    Row("zip", "a compressed payload is not accepted", _compressed),
    *(Row(f"typ-{typ}", "typ is absent, JWT or at+jwt", partial(_with_header, {"typ": typ})) for typ in OTHER_TYPES),
    Row("typ-empty", "typ is not empty", partial(_with_header, {"typ": ""})),
    Row("typ-prefix-alone", "typ is not empty after application/", partial(_with_header, {"typ": "application/"})),
    Row("typ-number", "typ is a text", partial(_with_header, {"typ": 1})),
    Row("typ-null", "typ is a text", partial(_with_header, {"typ": None})),
    Row("typ-list", "typ is a text", partial(_with_header, {"typ": ["at+jwt"]})),
    Row("header-repeats-alg", "a header name is there once", partial(_with_duplicate, "alg", "none")),
    Row("header-repeats-kid", "a header name is there once", partial(_with_duplicate, "kid", "another")),
    Row("header-list", "the header is an object", partial(_raw_header, b'["RS256"]')),
    Row("header-text", "the header is an object", partial(_raw_header, b'"RS256"')),
    Row("header-not-json", "the header is JSON", partial(_raw_header, b"RS256")),
    Row("header-empty", "the header is there", partial(_raw_header, b"")),
    Row("header-latin-1", "the header is UTF-8", partial(_reencoded, "latin-1")),
    Row("header-utf-16", "the header is UTF-8", partial(_reencoded, "utf-16")),
    Row("header-byte-order-mark", "the header begins with its object", partial(_reencoded, "utf-8-sig")),
    Row("header-nested-deeply", "the header's depth is bounded", _nested),
)
