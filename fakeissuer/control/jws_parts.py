"""The parts of a JWS that the catalogues of bad tokens and bad proofs replace one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import Signer

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

Part = dict[str, Any] | bytes
"""A header or a payload: its members, or its exact bytes."""


class _Absent:
    """Marks a member to omit, because None stands for null."""


ABSENT = _Absent()


def with_changes(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return members with changes, without those that are ``ABSENT``."""
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


def encode(header: Part, claims: Part, sign: Signer) -> str:
    """Return a JWS of these parts in compact serialization."""
    return raw_jws.encode_compact(_octets(header), _octets(claims), sign)


def signer(key: SigningKey, alg: str) -> Signer:
    """Return a signer for a key."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    return partial(keys.sign_input, key, alg)


def _octets(part: Part) -> bytes:
    return part if isinstance(part, bytes) else raw_jws.json_object(part.items())
