"""What an entry may hold: public keys, claims that fit into JSON and are not the issuer's own, names that there are."""

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
"""The claims that the issuer answers for itself."""

_ID_TOKEN_CLAIMS = _PROTOCOL_CLAIMS | {"amr", "idp", "nonce", "azp", "sid", "at_hash", "c_hash", "ds_hash"}
"""Those that it answers for in an ID token."""


def check_custom_claims(claims: Mapping[str, Any], id_token_claims: Mapping[str, Any]) -> None:
    """Check that none of these claims is one that the issuer answers for, and that all can stand in a token.

    Raises:
        ValueError: one is, and the control plane mints whatever a test wants there; or a value has no place in JSON.
    """
    for member, named, reserved_names in (
        ("claims", claims, _PROTOCOL_CLAIMS),
        ("id_token_claims", id_token_claims, _ID_TOKEN_CLAIMS),
    ):
        if reserved := reserved_names & named.keys():
            raise ValueError(f"{member} may not name {', '.join(sorted(reserved))}; mint a token for that")
        _check_fits_json(member, named)


def check_known_names(member: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that all names in the member of this name are known ones.

    Raises:
        ValueError: one is not; the known ones are named.
    """
    known = tuple(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{member} names {name!r}, which there is not; expected some of {', '.join(known)}")


def _check_fits_json(path: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_fits_json(f"{path}.{name}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_fits_json(path, inner)
    elif not (value is None or isinstance(value, bool | str) or parse_numeric_date(value) is not None):
        # TOML has dates and times, infinity, and integers without end.
        what = "number that is infinite or too large" if isinstance(value, int | float) else type(value).__name__
        raise ValueError(f"{path} holds a {what}; expected what JSON can hold: texts, finite numbers, lists, objects")
