"""The base class of typed JSON records, and their strict parsing.

Members are attributes and items: ``fault.times`` equals ``fault["times"]``.
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

# A step of a path in msgspec's messages: into a member, or into a list.
_STEP = re.compile(r"\.\w+|\[")

_MAX_DEPTH = 100
"""The maximum nesting of objects and lists."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Typed members; those in ``secret_members`` are omitted from the repr."""

    secret_members: ClassVar[frozenset[str]] = frozenset()

    def __getitem__(self, member: str) -> Any:
        """Return the member of that name.

        Raises:
            KeyError: there is no such member.
        """
        if member not in self.__struct_fields__:
            raise KeyError(member)
        return getattr(self, member)

    def __repr__(self) -> str:
        """Show the members except the secret ones, because failing tests print records."""
        shown = (
            f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.secret_members
        )
        return f"{type(self).__name__}({', '.join(shown)})"


to_json = msgspec.json.encode
"""Encode a value as compact JSON in UTF-8, with the members in the order of their declaration or insertion."""


def read_members(body: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly; an empty body is an empty object.

    Raises:
        InvalidRequestError: the body is not JSON in UTF-8, not an object, or repeats a member.
    """
    if not body:
        return {}
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
        # Parsers disagree on duplicate members, and msgspec silently keeps the last.
        json.loads(body, object_pairs_hook=_reject_duplicates)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidRequestError(f"The body is not a JSON object as expected: {exc}.") from exc
    return members


def to_record(members: Mapping[str, Any], kind: type[T]) -> T:
    """Return a record of these members, checked strictly and without conversions.

    Raises:
        InvalidRequestError: a member is unknown, missing, of a wrong type or out of range; the message names it.
    """
    # Deeper values can be parsed but not encoded again, so a call would fail after it changed the state.
    if _is_deeper(members, _MAX_DEPTH):
        raise InvalidRequestError(f"The request is invalid: it is nested more than {_MAX_DEPTH} levels deep.")
    try:
        return msgspec.convert(dict(members), kind, strict=True)
    except msgspec.ValidationError as exc:
        # The messages of a record's own checks say what was expected; msgspec's do not.
        has_own_message = isinstance(exc.__cause__, ValueError)
        known_members = "" if has_own_message else f" Expected members: {', '.join(_members_at(kind, str(exc)))}."
        raise InvalidRequestError(f"The request is invalid: {exc}.{known_members}") from exc


def _members_at(kind: type, message: str) -> tuple[str, ...]:
    # The message ends with a path such as ``$.policy[0].groups``; return the members of its innermost record.
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
    # An optional member is a union with None.
    options = inner.types if isinstance(inner, UnionType) else (inner,)
    return next(option for option in options if not isinstance(option, NoneType))


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRequestError("The body repeats a member; send each at most once.")
    return members


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in value)


def parse_numeric_date(value: object) -> float | None:
    """Return a number of seconds, or None unless the value is a finite number; booleans are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer may have more digits than any float
        return None
    return seconds if math.isfinite(seconds) else None


Name = Annotated[str, Meta(min_length=1, max_length=200)]

UNSET = ("",)
"""Marks default scopes that were not given; no request can contain it, because scopes cannot be empty."""
