"""The audit log: who has changed what from where, and which attempts were rejected."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from cachetools import LRUCache

from service.clock import Clock
from service.issuers.rate_limit import RateLimit, network_of

_logger = logging.getLogger("service.audit")

_MAX_ADDRESSES = 1024
_LINES_BURST, _LINES_EVERY = 100, 1.0
"""Lines about clients without a token in a row, and the seconds until one more; further ones are only counted."""
_LIMITED_EVERY = 60.0
"""Seconds between two lines about an address that must wait: it may send a thousand requests a second."""
_PERSONAL_KINDS = frozenset({"jti", "sub"})
"""The kinds of deny list entries whose value identifies a person, or what a person did."""
_DIGEST_LENGTH = 16


class AuditLog:
    """Writes one line for each request of an operator and for each rejected attempt.

    Lines about clients that have no token are limited, since they could fill the disk; the next line counts those that
    were left out.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lines = RateLimit(burst=_LINES_BURST, every=_LINES_EVERY, clock=clock)
        self._limited: LRUCache[str, RateLimit] = LRUCache(_MAX_ADDRESSES)
        self._left_out = 0

    def write(self, event: str, *, level: int = logging.WARNING, **fields: Any) -> None:
        """Write a line about a request that had the token of an operator."""
        _logger.log(level, event, extra=_without_none(fields))

    def write_rejection(self, event: str, *, remote_ip: str, **fields: Any) -> None:
        """Write a line about a client without a token, unless there were too many."""
        if not self._lines.take():
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        _logger.warning(event, extra=_without_none({"remote_ip": remote_ip, **fields, "left_out": left_out or None}))

    def write_limited(self, event: str, *, remote_ip: str, **fields: Any) -> None:
        """Write such a line about an address that must wait, at most once a minute."""
        network = network_of(remote_ip)
        limit = self._limited.get(network)
        if limit is None:
            limit = self._limited[network] = RateLimit(burst=1, every=_LIMITED_EVERY, clock=self._clock)
        if limit.take():
            self.write_rejection(event, remote_ip=remote_ip, **fields)
        else:
            self._left_out += 1


def describe_entry(kind: str, value: str, issuer: str | None) -> dict[str, str | None]:
    """Return what the log says of a deny list entry.

    The log is kept longer than the entry, and more people read it, so it has a digest of a ``sub`` or a ``jti``:
    enough to find the lines about a user whose name is known. It is no secret, since a name can be guessed.
    """
    if kind in _PERSONAL_KINDS:
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return {"kind": kind, "value_sha256": digest[:_DIGEST_LENGTH], "issuer": issuer}
    return {"kind": kind, "value": value, "issuer": issuer}


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
