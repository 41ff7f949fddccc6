"""Proofs with missing, wrong or malformed claims (RFC 9449 sections 4.2 and 4.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from fakeissuer.control.bad_proofs.proof_builder import (
    USE_NONCE,
    Fields,
    ProofBuilder,
    Row,
    token_hash,
)
from fakeissuer.control.jws_parts import ABSENT
from fakeissuer.jose.raw_jws import RawJSON, base64url

_MAX_SKEW_S = 600
_LONG_CHARACTERS = 4000
_METHOD = "htm is the method of the request, character by character"
_URL = "htu is the URL of the request without query and fragment"
_TIME = "iat is a finite JSON number"
_JTI = "jti is a text of a bounded length"
_HASH = "ath is the SHA-256 of this token in base64url"
_NONCE = "nonce is one of the API"
_MALFORMED_TIMES: dict[str, Any] = {
    "missing": ABSENT,
    "null": None,
    "text": "1700000000",
    "true": True,
    "list": [1_700_000_000],
    "nan": RawJSON("NaN"),
    "1e400": RawJSON("1e400"),
    "5000-digits": RawJSON("9" * 5000),
}


def _with_claims(changes: dict[str, Any], builder: ProofBuilder) -> Fields:
    """Return a proof that is valid except for these claims."""
    return builder.fields(builder.proof(claims=builder.claims(**changes)))


def _with_method(change: Callable[[str], str], builder: ProofBuilder) -> Fields:
    return _with_claims({"htm": change(builder.method)}, builder)


def _with_url(change: Callable[[str], Any], builder: ProofBuilder) -> Fields:
    return _with_claims({"htu": change(builder.url)}, builder)


def _with_hash(change: Callable[[str], str], builder: ProofBuilder) -> Fields:
    return _with_claims({"ath": change(builder.token)}, builder)


def _with_nonce(change: Callable[[str], str], builder: ProofBuilder) -> Fields:
    return _with_claims({"nonce": change(str(builder.nonce))}, builder)


def _other_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return ("http" if scheme == "https" else "https") + separator + rest


def _other_host(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://attacker.example/{rest.partition('/')[2]}"


def _with_port(url: str) -> str:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition(':')[0] or authority}:9{slash}{path}"


def _path_only(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _half_hash(token: str) -> str:
    """Return half of the hash, as in ``at_hash`` (OpenID Connect Core 1.0 section 3.1.3.6)."""
    return base64url(hashlib.sha256(token.encode()).digest()[:16])


ROWS = (
    Row("htm-missing", _METHOD, partial(_with_claims, {"htm": ABSENT})),
    Row("htm-list", _METHOD, lambda builder: _with_claims({"htm": [builder.method]}, builder)),
    Row("htm-other", _METHOD, partial(_with_method, lambda method: "PUT" if method != "PUT" else "POST")),
    Row("htm-in-lower-case", _METHOD, partial(_with_method, str.lower)),
    Row("htm-longer", _METHOD, partial(_with_method, lambda method: f"{method}X")),
    Row("htu-missing", _URL, partial(_with_claims, {"htu": ABSENT})),
    Row("htu-list", _URL, partial(_with_url, lambda url: [url])),
    Row("htu-other-scheme", _URL, partial(_with_url, _other_scheme)),
    Row("htu-other-host", _URL, partial(_with_url, _other_host)),
    Row("htu-other-port", _URL, partial(_with_url, _with_port)),
    Row("htu-longer", _URL, partial(_with_url, lambda url: f"{url}/more")),
    Row("htu-behind-another", _URL, partial(_with_url, lambda url: f"https://attacker.example/{url}")),
    Row("htu-path-only", _URL, partial(_with_url, _path_only)),
    *(Row(f"iat-{name}", _TIME, partial(_with_claims, {"iat": value})) for name, value in _MALFORMED_TIMES.items()),
    Row(
        "iat-long-ago",
        "a proof is accepted for a short time",
        lambda builder: _with_claims({"iat": builder.now - _MAX_SKEW_S}, builder),
    ),
    Row(
        "iat-in-the-future",
        "a proof is not made in advance",
        lambda builder: _with_claims({"iat": builder.now + _MAX_SKEW_S}, builder),
    ),
    *(
        Row(f"jti-{name}", _JTI, partial(_with_claims, {"jti": value}))
        for name, value in {
            "missing": ABSENT,
            "null": None,
            "number": 7,
            "list": ["7"],
            "empty": "",
            "long": "x" * _LONG_CHARACTERS,
        }.items()
    ),
    Row("ath-missing", _HASH, partial(_with_claims, {"ath": ABSENT})),
    Row("ath-null", _HASH, partial(_with_claims, {"ath": None})),
    Row("ath-of-another-token", _HASH, partial(_with_hash, lambda token: token_hash(token[:-1]))),
    Row("ath-half", _HASH, partial(_with_hash, _half_hash)),
    Row("ath-in-hex", _HASH, partial(_with_hash, lambda token: hashlib.sha256(token.encode()).hexdigest())),
    Row("ath-padded", _HASH, partial(_with_hash, lambda token: f"{token_hash(token)}=")),
    Row("nonce-missing", _NONCE, partial(_with_claims, {"nonce": ABSENT}), error=USE_NONCE, needs_nonce=True),
    Row("nonce-invented", _NONCE, partial(_with_claims, {"nonce": "1234"}), error=USE_NONCE, needs_nonce=True),
    Row("nonce-cut", _NONCE, partial(_with_nonce, lambda nonce: nonce[:-1]), error=USE_NONCE, needs_nonce=True),
    Row("nonce-longer", _NONCE, partial(_with_nonce, lambda nonce: f"{nonce}x"), error=USE_NONCE, needs_nonce=True),
)
