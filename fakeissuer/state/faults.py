"""Fault injection: the faults that tests configure, by endpoint and server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.records import Record

_HOUR_S = 3600
_GIBIBYTE = 2**30

_Seconds = Annotated[float, Meta(ge=0, le=_HOUR_S)]
_Bytes = Annotated[int, Meta(ge=0, le=_GIBIBYTE)]

KINDS = (
    "status",
    "refuse",
    "delay",
    "drop",
    "truncate",
    "garbage",
    "empty",
    "redirect",
    "huge",
    "drip",
    "gzip_bomb",
    "content_type",
)
"""The members that select the kind of fault; a fault has exactly one of them."""

# RFC 9110 sections 5.1 and 5.5. A line break in a value would add headers or a second response by accident.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


_BODILESS = (204, 205, 304)
_FRAMING = ("content-length", "transfer-encoding", "connection")


_ERROR_NAMES = tuple(problem.name.lower() for problem in ErrorCase)
"""The names of the predefined error responses."""


class Fault(Record, frozen=True, kw_only=True):
    """A fault at one endpoint, for ``times`` requests or until faults are cleared.

    ``refuse`` is the name of an ``ErrorCase`` in lower case. ``delay`` is in seconds, ``drip`` in seconds between two
    bytes, ``truncate`` in bytes that are sent, ``huge`` and ``gzip_bomb`` in bytes of the (inflated) body; ``true``
    selects a default.
    """

    endpoint: EndpointName
    server: str | None = None
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    headers: dict[str, str] | None = None
    body: str | dict[str, Any] | list[Any] | None = None
    refuse: str | None = None
    delay: _Seconds | None = None
    drop: bool | None = None
    truncate: bool | _Bytes | None = None
    garbage: bool | None = None
    empty: bool | None = None
    redirect: bool | str | None = None
    huge: bool | _Bytes | None = None
    drip: bool | _Seconds | None = None
    gzip_bomb: bool | _Bytes | None = None
    content_type: str | None = None

    def __post_init__(self) -> None:
        """Check that the members describe one fault.

        Raises:
            ValueError: there is not exactly one kind, or a value is not valid in an HTTP header.
        """
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(
                f"a fault has exactly one of {', '.join(KINDS)}; this one has {', '.join(kinds) or 'none'}"
            )
        if getattr(self, kinds[0]) is False:
            raise ValueError(f"{kinds[0]} is false; omit it, or use true")
        if self.refuse is not None and self.refuse not in _ERROR_NAMES:
            raise ValueError(f"refuse is one of {', '.join(_ERROR_NAMES)}")
        if self.status is None and (self.headers is not None or self.body is not None):
            raise ValueError("headers and body belong to a fault with a status")
        if self.status in _BODILESS and self.body is not None:
            raise ValueError(f"a response with status {self.status} has no body (RFC 9110 sections 6.4.1 and 15.3.6)")
        for name, value in self._header_fields():
            if name.lower() in _FRAMING:
                raise ValueError(f"{name} cannot be set, because it frames the message; use truncate, drip or huge")
            if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
                raise ValueError("a header name is a token and its value one line of Latin-1 (RFC 9110 section 5)")

    @property
    def kind(self) -> str:
        """The kind of the fault."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    def amount(self, default: float) -> float:
        """Return the number of the kind, or the default if its value is ``true``."""
        value = getattr(self, self.kind)
        return default if value is True else float(value)

    def _header_fields(self) -> list[tuple[str, str]]:
        fields = list((self.headers or {}).items())
        if isinstance(self.redirect, str):
            fields.append(("Location", self.redirect))
        if self.content_type is not None:
            fields.append(("Content-Type", self.content_type))
        return fields


@dataclass
class _Planned:
    fault: Fault
    left: int | None


class Faults:
    """The active faults; if several match a request, the one added first applies."""

    def __init__(self) -> None:
        """Start without any."""
        self.pending: list[_Planned] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self.pending.append(_Planned(fault, fault.times))

    def take(self, endpoint: str, server: str) -> Fault | None:
        """Return the fault for a request and count the request, or return None.

        The method never awaits, so ``times`` is exact under concurrency.
        """
        for planned in self.pending:
            if planned.fault.endpoint == endpoint and planned.fault.server in (None, server):
                if planned.left is not None:
                    planned.left -= 1
                    self.pending = [other for other in self.pending if other.left != 0]
                return planned.fault
        return None

    def planned(self) -> list[Fault]:
        """Return what is still to come; ``times`` is what is left of it."""
        return [msgspec.structs.replace(planned.fault, times=planned.left) for planned in self.pending]

    def clear(self) -> None:
        """Plan nothing any more."""
        self.pending.clear()
