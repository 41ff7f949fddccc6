"""The page that lists every row with what was seen: docs/reference/okta-on-the-wire.rst."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fakeissuer.server.running_issuer import RunningIssuer
from okta_wire.masks import mask
from okta_wire.row import Seen
from okta_wire.sections import SECTIONS
from okta_wire.world import Request, World

FILE = Path(__file__).parents[3] / "docs" / "reference" / "okta-on-the-wire.rst"
COMMAND = "PYTHONPATH=tests/support python -m okta_wire"

LONGEST = 60
"""Characters of a request's parameter that are shown."""

LONG_LIST = 12
"""Members that are told again, however often they come."""

INTRODUCTION = Path(__file__).with_name("introduction.rst")

HEADINGS = ("Case", "Request", "Status", "Code", "Members in order", "Headers and values")


def rendered(issuer: RunningIssuer) -> str:
    """The page, as this issuer answers now."""
    introduction = INTRODUCTION.read_text("utf-8").replace("{command}", COMMAND).rstrip("\n")
    return "\n".join([introduction, *_sections(issuer)]) + "\n"


def _sections(issuer: RunningIssuer) -> Iterator[str]:
    for section in SECTIONS:
        yield from ("", section.title, "-" * len(section.title), "")
        yield from (".. list-table::", "   :header-rows: 1", "   :widths: 18 24 6 12 20 20", "")
        yield from _line(HEADINGS)
        told: set[tuple[str, ...]] = set()
        for row in section.rows:
            request, seen = row.played(World(issuer))
            yield from _line(_cells(row.case, _request(request, issuer.url), seen, told))
            told.add(seen.members)


def _line(cells: tuple[str, ...]) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f"   {'*' if number == 0 else ' '} - {cell}".rstrip()


def _cells(case: str, request: str, seen: Seen, told: set[tuple[str, ...]]) -> tuple[str, ...]:
    # The documents have two dozen members: once a section is enough.
    is_long = len(seen.members) > LONG_LIST and seen.members in told
    members = "as above" if is_long else _literal(" ".join(seen.members))
    return (case, request, str(seen.status), _literal(seen.code), members, _details(seen))


def _request(request: Request, org: str) -> str:
    parts = [_literal(f"{request.method} {request.path}")]
    if request.client is not None:
        parts.append("with Basic")
    told = {**request.query, **(request.form or {}), **{f"{name}:": text for name, text in request.headers.items()}}
    parts += [_literal(_parameter(name, mask(value, org))) for name, value in told.items()]
    return " ".join(parts)


def _parameter(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"{name} {text}".strip() if name.endswith(":") else f"{name}={text}"


def _details(seen: Seen) -> str:
    headers = [_pair(name, value, ": ") for name, value in seen.headers.items()]
    return ", ".join([*headers, *(_pair(name, value, " = ") for name, value in seen.values.items())])


def _pair(name: str, value: Any, between: str) -> str:
    if value is None:
        return f"{_literal(name)} absent"
    return _literal(f"{name}{between}{value if isinstance(value, str) else json.dumps(value)}")


def _literal(text: str) -> str:
    return f"``{text}``" if text else ""
