"""The journal of requests and connections that the issuer has received."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any
from weakref import WeakKeyDictionary

from fakeissuer.model.records import Record

CAPACITY = 10_000
"""The default number of requests stored in full; counts have no limit."""

_MAX_CONNECTIONS = 10_000
"""The maximum number of distinguished connections; the latest are counted."""

UNKNOWN_SERVER = "(unknown)"
"""Requests for unknown servers are counted under this name, so that made-up names do not use memory."""


@dataclass(kw_only=True)
class JournalEntry:
    """One request; ``status`` is set with the response, and None if there was no response."""

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
    """One request as returned to tests; ``credentials`` is the authentication scheme only."""

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
    """The matching requests: their number, their TCP connections, and the latest in full."""

    count: int
    connections: int
    requests: tuple[Request, ...]

    def __deepcopy__(self, _memo: dict[int, Any]) -> Requests:
        # Everything in it is immutable; a copy of ten thousand requests would take seconds.
        return self

    def __len__(self) -> int:
        """Return the number of requests, including those not stored in full."""
        return self.count

    def __iter__(self) -> Iterator[Request]:
        """Iterate over the requests stored in full, oldest first."""
        return iter(self.requests)


class Journal:
    """The requests to Okta's endpoints, oldest first, without those to the control plane."""

    def __init__(self, capacity: int = CAPACITY, max_connections: int = _MAX_CONNECTIONS) -> None:
        self._latest: deque[JournalEntry] = deque(maxlen=capacity)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._max_connections = max_connections
        self._keys_by_connection: OrderedDict[int, set[tuple[str, str]]] = OrderedDict()

    def add(self, entry: JournalEntry) -> None:
        """Record a request when it arrives, so that it counts even without a response."""
        key = (entry.endpoint, entry.server)
        self._latest.append(entry)
        self._counts[key] += 1
        self._keys_by_connection.setdefault(entry.connection, set()).add(key)
        self._keys_by_connection.move_to_end(entry.connection)
        if len(self._keys_by_connection) > self._max_connections:
            self._keys_by_connection.popitem(last=False)

    def read(self, endpoint: str | None = None, server: str | None = None, latest: int | None = None) -> Requests:
        """Return the requests to an endpoint of a server, the latest in full; None means no restriction."""
        keys = {key for key in self._counts if endpoint in (None, key[0]) and server in (None, key[1])}
        matching = (entry for entry in reversed(self._latest) if (entry.endpoint, entry.server) in keys)
        requests = [Request(**vars(entry)) for entry in islice(matching, latest)]
        return Requests(
            count=sum(self._counts[key] for key in keys),
            connections=sum(not keys.isdisjoint(seen) for seen in self._keys_by_connection.values()),
            requests=tuple(reversed(requests)),
        )

    def clear(self) -> None:
        """Delete all requests and counts."""
        self._latest.clear()
        self._counts.clear()
        self._keys_by_connection.clear()


class ConnectionCounter:
    """Numbers connections in the order of their first requests, from 1, without keeping them alive."""

    def __init__(self) -> None:
        self._next_number = count(1)
        self._numbers: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    def number(self, connection: object) -> int:
        """Return the number of a connection, which does not change while it is open."""
        if connection not in self._numbers:
            self._numbers[connection] = next(self._next_number)
        return self._numbers[connection]
