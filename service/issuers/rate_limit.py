"""Limits how often a client can cause something."""

from __future__ import annotations

import ipaddress

from service.clock import Clock

_IPV6_PREFIX = 64
"""Bits of an IPv6 address that count: one subscriber can use every address with the same prefix."""


class RateLimit:
    """Allows a number of requests in a row, and then one per interval (a token bucket).

    Args:
        burst: Requests in a row.
        every: Seconds until one more request is allowed.
    """

    __slots__ = ("_burst", "_clock", "_every", "_remaining", "_updated_at")

    def __init__(self, *, burst: float, every: float, clock: Clock) -> None:
        self._burst = burst
        self._every = every
        self._clock = clock
        self._remaining = burst
        self._updated_at = clock.monotonic()

    @property
    def wait(self) -> float:
        """The seconds until a request is allowed; 0 if one is allowed now."""
        return max(0.0, 1.0 - self._available(self._clock.monotonic())) * self._every

    def take(self) -> bool:
        """Return whether a request is allowed now, and count it if it is."""
        now = self._clock.monotonic()
        available = self._available(now)
        if available < 1.0:
            return False
        self._remaining, self._updated_at = available - 1.0, now
        return True

    def give_back(self) -> None:
        """Return one request, since it turned out not to count."""
        now = self._clock.monotonic()
        self._remaining, self._updated_at = min(self._available(now) + 1.0, self._burst), now

    def _available(self, now: float) -> float:
        """Return the allowed requests: those that were left after the last one, and those that time has added since."""
        return min(self._remaining + (now - self._updated_at) / self._every, self._burst)


def network_of(address: str) -> str:
    """Return the part of an address that identifies a client; an address of an unknown form as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address  # a Unix socket has none
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> (parsed.max_prefixlen - _IPV6_PREFIX):x}/{_IPV6_PREFIX}"
