"""What an operator has to know of one issuer: its keys, and its introspection endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.caches.introspection import IntrospectionCache
from service.issuers.breaker import CredentialsRejected
from service.issuers.introspection import IntrospectionEndpoint
from service.issuers.keys import RemoteKeySet

KEYS_MISSING = "keys_missing"
"""There is no usable key set, so no JWT of the issuer can be validated."""
REFRESH_FAILING = "key_set_refresh_failing"
"""The last fetch of the key set failed; the previous one is still as new as the issuer demands."""
KEYS_STALE = "keys_stale"
"""The key set is older than the issuer allows, and a newer one could not be fetched."""
INTROSPECTION_FAILING = "introspection_failing"
"""Introspection fails for every token, and is paused."""
CREDENTIALS_REJECTED = "credentials_rejected"
"""The issuer rejects the client credentials of this service."""
PROBLEMS = (KEYS_MISSING, KEYS_STALE, REFRESH_FAILING, INTROSPECTION_FAILING, CREDENTIALS_REJECTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerStatus:
    """The state of one issuer; a part that no validator uses is None.

    Args:
        problems: Those of :data:`PROBLEMS` that the issuer has now.
        keys: ``fresh``, ``stale`` or ``none``.
        keys_age: Seconds since the key set was fetched.
        keys_error: Why the last fetch of the key set failed.
        refreshes: The fetches of the key set so far, by outcome.
        unknown_key_ids: Tokens so far whose key the key set did not have at first.
        skipped_keys: The keys that the issuer publishes and that cannot be used.
        introspection_error: Why introspection is paused.
        introspections: The introspections so far, by outcome.
        responses: The cached introspection responses.
    """

    issuer: str
    problems: tuple[str, ...] = ()
    keys: str | None = None
    keys_age: float | None = None
    keys_error: str | None = None
    refreshes: Mapping[str, int] = field(default_factory=dict)
    unknown_key_ids: int = 0
    skipped_keys: int = 0
    introspection_error: str | None = None
    introspections: Mapping[str, int] | None = None
    responses: IntrospectionCache | None = None

    @classmethod
    def of(
        cls,
        issuer: str,
        *,
        keys: RemoteKeySet | None,
        endpoint: IntrospectionEndpoint | None,
        responses: IntrospectionCache | None,
    ) -> IssuerStatus:
        """Return the state of the parts of an issuer."""
        problems = []
        about_keys: dict[str, Any] = {}
        if keys is not None:
            copy, attempts = keys.copy, keys.copy.attempts
            if attempts.failure is not None:
                problems.append(REFRESH_FAILING if copy.fresh else KEYS_STALE if copy.usable else KEYS_MISSING)
            about_keys = {
                "keys": "fresh" if copy.fresh else "stale" if copy.usable else "none",
                "keys_age": copy.age,
                "keys_error": None if attempts.failure is None else attempts.failure.detail,
                "refreshes": {"succeeded": attempts.succeeded, "failed": attempts.failed},
                "unknown_key_ids": keys.unknown_key_ids,
                "skipped_keys": 0 if keys.last is None else len(keys.last.skipped),
            }
        failure = None if endpoint is None else endpoint.failure
        if failure is not None:
            rejected = isinstance(failure, CredentialsRejected)
            problems.append(CREDENTIALS_REJECTED if rejected else INTROSPECTION_FAILING)
        return cls(
            issuer=issuer,
            problems=tuple(problems),
            introspection_error=None if failure is None else failure.detail,
            introspections=None if endpoint is None else endpoint.outcomes,
            responses=responses,
            **about_keys,
        )

    def describe(self) -> dict[str, Any]:
        """Return the state for an operator, as JSON values; times are in seconds."""
        described: dict[str, Any] = {"issuer": self.issuer, "problems": list(self.problems)}
        if self.keys is not None:
            described["keys"] = {"state": self.keys, "age": _rounded(self.keys_age), "last_error": self.keys_error}
        if self.introspections is not None:
            state = "available" if self.introspection_error is None else "paused"
            described["introspection"] = {"state": state, "last_error": self.introspection_error}
        return described


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
