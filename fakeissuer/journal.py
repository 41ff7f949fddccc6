"""What was asked of the issuer: how often, by which connections; never a secret, a token or a query."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from fakeissuer.records import Record

CAPACITY = 10_000
"""How many requests are kept in detail; the counts go on beyond it."""


@dataclass(kw_only=True)
class Entry:
    """One request while it is answered; `status` is filled in with the answer, None if none was given."""

    method: str
    path: str
    endpoint: str
    server: str
    time: float
    connection: int
    credentials: str | None
    status: int | None = None
    fault: str | None = None


class Request(Record, frozen=True, kw_only=True):
    """One request as it is told; `credentials` is the scheme that came with it and no more."""

    method: str
    path: str
    endpoint: str
    server: str
    time: float
    connection: int
    credentials: str | None
    status: int | None
    fault: str | None


class Requests(Record, frozen=True, kw_only=True):
    """Requests that fit a question: how many, over how many TCP connections, and the latest of them in full."""

    count: int
    connections: int
    requests: tuple[Request, ...]

    def __len__(self) -> int:
        """Return how many there were."""
        return self.count

    def __iter__(self) -> Iterator[Request]:
        """Go through those that are kept in full, oldest first."""
        return iter(self.requests)


class Journal:
    """The requests to Okta's endpoints, oldest first; those to the control plane are not among them."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty; keep at most so many requests in full."""
        self._latest: deque[Entry] = deque(maxlen=capacity)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._connections: dict[tuple[str, str], set[int]] = {}

    def add(self, entry: Entry) -> None:
        """Write down a request when it has come in, so that it counts even if it is never answered."""
        place = (entry.endpoint, entry.server)
        self._latest.append(entry)
        self._counts[place] += 1
        self._connections.setdefault(place, set()).add(entry.connection)

    def read(self, endpoint: str | None = None, server: str | None = None) -> Requests:
        """Return the requests to this endpoint of this server; None means any."""

        def fits(place: tuple[str, str]) -> bool:
            return (endpoint is None or place[0] == endpoint) and (server is None or place[1] == server)

        places = [place for place in self._counts if fits(place)]
        connections: set[int] = set().union(*(self._connections[place] for place in places))
        return Requests(
            count=sum(self._counts[place] for place in places),
            connections=len(connections),
            requests=tuple(Request(**vars(entry)) for entry in self._latest if fits((entry.endpoint, entry.server))),
        )

    def clear(self) -> None:
        """Start anew."""
        self._latest.clear()
        self._counts.clear()
        self._connections.clear()
