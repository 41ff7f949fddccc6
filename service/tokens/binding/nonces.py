"""Nonces of the resource server for DPoP proofs (RFC 9449 section 9).

Nothing is stored: a nonce is the number of a period with its authentication code, so that every process with the
same secrets accepts it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

PERIOD = 150
"""Seconds for which a nonce is sent to clients; it is accepted for as long again."""
_CODE_SIZE = 18
_NUMBER_SIZE = 6


class NonceSource:
    """Makes and checks nonces.

    Args:
        secrets: The secrets of at least 32 bytes. The first one makes nonces, and the others are accepted too, so
            that a secret can be replaced without a rejected request.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def current(self, scope: str, *, now: float) -> str:
        """Return the nonce to send to clients.

        Args:
            scope: The issuer and handler; a nonce of one is not accepted by another.
            now: Seconds since the epoch.
        """
        return self._make(self._secrets[0], scope, _period(now))

    def accepts(self, nonce: str, scope: str, *, now: float) -> bool:
        """Return whether a nonce was made for a scope in this period or in the one before.

        One of the next period is accepted as well: it comes from a machine whose clock is ahead.
        """
        period = _period(now)
        octets = nonce.encode("utf-8", "replace")
        expected = [
            self._make(secret, scope, number).encode()
            for secret in self._secrets
            for number in (period, period - 1, period + 1)
        ]
        return any([hmac.compare_digest(octets, own) for own in expected])  # noqa: C419  # in the same time for each

    @staticmethod
    def _make(secret: bytes, scope: str, period: int) -> str:
        number = period.to_bytes(_NUMBER_SIZE)
        code = hmac.digest(secret, number + scope.encode(), hashlib.sha256)[:_CODE_SIZE]
        return base64.urlsafe_b64encode(number + code).decode("ascii")


def _period(now: float) -> int:
    return max(1, int(now // PERIOD))
