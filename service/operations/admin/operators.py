"""The operators: their tokens, and how often a client may send a wrong one."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from service.clock import Clock
from service.issuers.rate_limit import RateLimit, network_of

BURST = 10
"""Wrong tokens of one address in a row."""
EVERY = 2.0
"""Seconds until one more attempt of that address is allowed."""
MAX_ADDRESSES = 4096
"""Addresses whose attempts are counted, which bounds memory; beyond, the one that was idle for longest is forgotten."""


class WrongToken(Exception):
    """A request has no token of an operator; the argument is the reason in the log."""


class TooManyAttempts(Exception):
    """An address has sent too many wrong tokens.

    Args:
        retry_after: Whole seconds until an attempt is allowed.
    """

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Operators:
    """Identifies operators by their tokens.

    Args:
        tokens: The token of each operator; without any, every request is rejected.
    """

    def __init__(self, tokens: Mapping[str, str], *, clock: Clock) -> None:
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self._clock = clock
        self._attempts: LRUCache[str, RateLimit] = LRUCache(MAX_ADDRESSES)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def identify(self, fields: Sequence[str], *, address: str) -> str:
        """Return the name of the operator whose token a request has.

        A right token, too, is rejected while the address has to wait, since a response that differs would let a
        program try tokens without a limit.

        Args:
            fields: The values of ``Authorization``.
            address: The address of the client.

        Raises:
            WrongToken: There is no token, or another one; the attempt counts.
            TooManyAttempts: The address must wait.
        """
        network = network_of(address)
        limit = self._attempts.get(network)
        if limit is not None and (wait := limit.wait):
            raise TooManyAttempts(retry_after=math.ceil(wait))
        name = self._find(fields)
        if name is not None:
            return name
        if limit is None:
            limit = self._attempts[network] = RateLimit(burst=BURST, every=EVERY, clock=self._clock)
        limit.take()
        raise WrongToken("wrong_token" if any(fields) else "no_token")

    def _find(self, fields: Sequence[str]) -> str | None:
        scheme, _, token = fields[0].partition(" ") if len(fields) == 1 else ("", "", "")
        presented = _digest(token.strip(" ")) if scheme.lower() == "bearer" else b""
        # Each is compared, and in constant time, which reveals neither how many characters are right nor whose token.
        matches = [name for name, digest in self._digests.items() if hmac.compare_digest(digest, presented)]
        return matches[0] if matches else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
