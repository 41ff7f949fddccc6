"""The records that travel between a test, the control plane and the state, and the strict reading of them.

A record reads as attributes or as the JSON object that it becomes: ``fault.times`` is ``fault["times"]``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta
from msgspec.inspect import AnyType, NoneType, StructType, Type, UnionType, VarTupleType, type_info

from fakeissuer.errors import InvalidRequestError

T = TypeVar("T")

# A step of the path that msgspec tells: into a member, or into one of a list.
_STEP = re.compile(r"\.\w+|\[")

_MAX_DEPTH = 100
"""How many objects and lists may stand in one another."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Data with named and typed members; what stands in ``secret_members`` is left out of the repr."""

    secret_members: ClassVar[frozenset[str]] = frozenset()

    def __getitem__(self, member: str) -> Any:
        """Return the member of that name, as its JSON object would.

        Raises:
            KeyError: there is no such member.
        """
        if member not in self.__struct_fields__:
            raise KeyError(member)
        return getattr(self, member)

    def __repr__(self) -> str:
        """Show every member but the secret ones: a failing test prints its records."""
        shown = (
            f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.secret_members
        )
        return f"{type(self).__name__}({', '.join(shown)})"


to_json = msgspec.json.encode
"""Encode a value as compact JSON in UTF-8, with the members in the order of their declaration or insertion."""


def read_members(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, read strictly; an empty body is an object without members.

    Raises:
        InvalidRequestError: it is not JSON in UTF-8, not an object, or names a member twice.
    """
    if not body:
        return {}
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
        # A member that is there twice means two things to two readers; msgspec keeps the last without a word.
        json.loads(body, object_pairs_hook=_reject_duplicates)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidRequestError(f"The body is not the JSON object that was expected: {exc}.") from exc
    return members


def to_record(members: Mapping[str, Any], kind: type[T]) -> T:
    """Return a record made of these members, checked strictly: no conversion, nothing unknown, nothing missing.

    Raises:
        InvalidRequestError: a member is unknown, missing, of a wrong type or out of range; the message names it.
    """
    # What can be read can still be too deep to be written again, and would then fail half-way through a call.
    if _is_deeper(members, _MAX_DEPTH):
        raise InvalidRequestError(f"This was not accepted: it is nested more than {_MAX_DEPTH} levels deep.")
    try:
        return msgspec.convert(dict(members), kind, strict=True)
    except msgspec.ValidationError as exc:
        # A record's own check has said what it expected; the library's have not.
        has_own_message = isinstance(exc.__cause__, ValueError)
        known_members = "" if has_own_message else f" The members there are: {', '.join(_members_at(kind, str(exc)))}."
        raise InvalidRequestError(f"This was not accepted: {exc}.{known_members}") from exc


def _members_at(kind: type, message: str) -> tuple[str, ...]:
    # The complaint ends with where it is, such as ``$.policy[0].groups``: the innermost record on the way is meant.
    node = type_info(kind)
    members = _members_of(node)
    for step in _STEP.findall(message.rpartition("$")[2]):
        node = _inner(node, step)
        members = _members_of(node) or members
    return members


def _members_of(node: Type) -> tuple[str, ...]:
    return tuple(member.name for member in node.fields) if isinstance(node, StructType) else ()


def _inner(node: Type, step: str) -> Type:
    inner: Type = AnyType()
    if isinstance(node, StructType):
        inner = next((member.type for member in node.fields if step == f".{member.name}"), inner)
    elif isinstance(node, VarTupleType):
        inner = node.item_type
    # What may be left out is a union with None.
    options = inner.types if isinstance(inner, UnionType) else (inner,)
    return next(option for option in options if not isinstance(option, NoneType))


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRequestError("The body names a member twice; each may be there once.")
    return members


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in value)


def parse_numeric_date(value: object) -> float | None:
    """Return a number of seconds, None for what is no finite number: a bool is none either."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer may have more digits than any float
        return None
    return seconds if math.isfinite(seconds) else None


Name = Annotated[str, Meta(min_length=1, max_length=200)]

UNSET = ("",)
"""What nobody can write, for scopes that are empty are refused."""
