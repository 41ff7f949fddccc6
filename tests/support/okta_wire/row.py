"""A row: what is asked, and what the answer is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakeissuer.server.in_process import running
from okta_wire.masks import mask
from okta_wire.views import View, body, code_of
from okta_wire.world import Request, World


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there is to an answer: ``headers`` and ``values`` are those that a row names, random parts under a name."""

    status: int
    code: str
    members: tuple[str, ...]
    headers: Mapping[str, str | None]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One case: its name, what is asked, what is expected.

    ``members`` are the names in their order with spaces between them, ``headers`` those that are worth naming, None for
    one that has to be missing, ``values`` what stands in some of the members.
    """

    case: str
    ask: Request | Callable[[World], Request]
    status: int
    code: str = ""
    members: str = ""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    view: View = body
    public_url: str | None = None
    """What an issuer of its own is called, for this row alone."""

    @property
    def expected(self) -> Seen:
        """What the answer is to be."""
        return Seen(
            status=self.status,
            code=self.code,
            members=tuple(self.members.split()),
            headers=self.headers,
            values=self.values,
        )

    def played(self, world: World) -> tuple[Request, Seen]:
        """Ask, and return what was asked and what came."""
        if self.public_url is None:
            return self._played(world)
        with running(public_url=self.public_url) as issuer:
            return self._played(World(issuer))

    def _played(self, world: World) -> tuple[Request, Seen]:
        request = self.ask if isinstance(self.ask, Request) else self.ask(world)
        answer = world.send(request)
        members = self.view(answer) if answer.body or answer.status in (302, 303) else {}
        org = world.org_url
        return request, Seen(
            status=answer.status,
            code=code_of(answer, members),
            members=tuple(members),
            headers={name: mask(answer.headers[name], org) for name in self.headers},
            values={name: mask(members.get(name), org) for name in self.values},
        )


@dataclass(frozen=True)
class Section:
    """Rows about one thing, in the order in which they are read."""

    title: str
    rows: tuple[Row, ...]


OAUTH_ERROR = "error error_description"
OKTA_ERROR = "errorCode errorSummary errorLink errorId errorCauses"


def oauth_error(
    case: str, ask: Request | Callable[[World], Request], status: int, code: str, **headers: str | None
) -> Row:
    """A refusal as RFC 6749 section 5.2 shapes it; underscores in header names stand for dashes."""
    return Row(case, ask, status, code, OAUTH_ERROR, {name.replace("_", "-"): text for name, text in headers.items()})


def okta_error(case: str, ask: Request | Callable[[World], Request], status: int, code: str) -> Row:
    """A refusal in Okta's own shape, whose errorLink repeats the code."""
    return Row(case, ask, status, code, OKTA_ERROR, values={"errorLink": code, "errorCauses": []})
