"""Checks of registered data: custom claims, and references to known names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fakeissuer.model.records import parse_numeric_date

_PROTOCOL_CLAIMS = frozenset(
    (
        "ver",
        "jti",
        "iss",
        "aud",
        "iat",
        "exp",
        "nbf",
        "cnf",
        "cid",
        "uid",
        "scp",
        "scope",
        "auth_time",
        "sub",
        "acr",
        "client_id",
    )
)
"""The claims of access tokens that only the issuer sets."""

_ID_TOKEN_CLAIMS = _PROTOCOL_CLAIMS | {"amr", "idp", "nonce", "azp", "sid", "at_hash", "c_hash", "ds_hash"}
"""The claims of ID tokens that only the issuer sets."""


def check_custom_claims(claims: Mapping[str, Any], id_token_claims: Mapping[str, Any]) -> None:
    """Check that custom claims are not reserved for the issuer and have JSON values.

    Raises:
        ValueError: a claim is reserved, or JSON cannot represent its value.
    """
    for member, named, reserved_names in (
        ("claims", claims, _PROTOCOL_CLAIMS),
        ("id_token_claims", id_token_claims, _ID_TOKEN_CLAIMS),
    ):
        if reserved := reserved_names & named.keys():
            raise ValueError(f"{member} may not name {', '.join(sorted(reserved))}; mint a token instead")
        _check_fits_json(member, named)


def check_known_names(member: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that a member contains known names only.

    Raises:
        ValueError: a name is unknown.
    """
    known = tuple(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{member} names {name!r}, which does not exist; expected some of {', '.join(known)}")


def _check_fits_json(path: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_fits_json(f"{path}.{name}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_fits_json(path, inner)
    elif not (value is None or isinstance(value, bool | str) or parse_numeric_date(value) is not None):
        # TOML has dates, times, infinity and integers of any size.
        what = "number that is infinite or too large" if isinstance(value, int | float) else type(value).__name__
        raise ValueError(f"{path} holds a {what}; expected a JSON value: a string, finite number, list or object")


def check_distinguished_name(member: str, name: str) -> None:
    """Check that a member is a distinguished name (RFC 4514).

    Raises:
        ValueError: it is malformed.
    """
    from cryptography import x509  # noqa: PLC0415  # slow to import, and few clients have one

    try:
        x509.Name.from_rfc4514_string(name)
    except ValueError as exc:
        raise ValueError(f"{member} is {name!r}; expected a name such as CN=orders,O=Example") from exc
