"""Whether this process can validate tokens, and what an operator has to know although it can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from service.authenticator import Authenticators
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import SharedCache
from service.errors import IssuerUnavailable
from service.issuers.status import IssuerStatus

CACHE_UNAVAILABLE = "shared_cache_unavailable"
"""The last call of the shared cache has failed."""
DENY_LIST_STALE = "deny_list_stale"
"""For longer than :data:`_MAX_DENY_LIST_AGE`, no entry of another process has arrived."""
PROOFS_UNSHARED = "dpop_proofs_unshared"
"""Used DPoP proofs are recorded in this process only, so each process accepts a copy once."""
_MAX_DENY_LIST_AGE = 10.0
"""Seconds."""


class Health:
    """The state of the parts of one application in this process.

    Args:
        issuers: Returns the state of each issuer.
        check_ready: Returns if every validator is ready, and raises :class:`IssuerUnavailable` otherwise.

    Attributes:
        is_draining: Whether the process is about to stop, and gets no new connections.
    """

    def __init__(
        self,
        authenticators: Authenticators,
        *,
        issuers: Callable[[], Iterable[IssuerStatus]],
        deny_list: DenyList,
        cache: SharedCache,
        binding: BindingCheck,
    ) -> None:
        self.authenticators = authenticators
        self.deny_list = deny_list
        self.cache = cache
        self.binding = binding
        self.is_draining = False
        self._issuers = issuers

    async def check_ready(self) -> None:
        """Return if tokens can be validated.

        Raises:
            IssuerUnavailable: They cannot, or the process is about to stop; the detail says which.
        """
        if self.is_draining:
            raise IssuerUnavailable("this process is about to stop, and finishes its last requests")
        await self.authenticators.check_ready()

    def issuers(self) -> list[IssuerStatus]:
        """Return the state of each issuer."""
        return list(self._issuers())

    @property
    def problems(self) -> list[str]:
        """The names of the problems that do not stop the validation of tokens, or not yet, in a fixed order."""
        found = dict.fromkeys(problem for issuer in self.issuers() for problem in issuer.problems)
        if not self.cache.is_available:
            found[CACHE_UNAVAILABLE] = None
            if self.binding.used.accepted or self.binding.requires_proofs:
                found[PROOFS_UNSHARED] = None
        if (self.deny_list.age or 0.0) > _MAX_DENY_LIST_AGE:
            found[DENY_LIST_STALE] = None
        return list(found)

    def describe(self) -> dict[str, Any]:
        """Return the state for an operator, as JSON values; times are in seconds."""
        age = self.deny_list.age
        cache_state = "available" if self.cache.is_available else "unavailable"
        return {
            "draining": self.is_draining,
            "problems": self.problems,
            "issuers": [issuer.describe() for issuer in self.issuers()],
            "shared_cache": {
                "state": "none" if self.cache.is_local else cache_state,
                "failures": self.cache.failures,
            },
            "deny_list": {"entries": len(self.deny_list), "age": None if age is None else round(age, 1)},
            "dpop_proofs": {"shared": self.binding.used.is_shared, "unshared": self.binding.used.unshared},
        }
