"""Checks how strongly and how recently the user was authenticated (RFC 9470 sections 3 and 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import InsufficientAuthentication, Reason
from service.tokens.principal import Principal

_ACR = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # a quoted string of values separated by spaces

_OKTA_LEVELS = ("urn:okta:loa:1fa:any", "urn:okta:loa:1fa:pwd", "urn:okta:loa:2fa:any", "phr", "phrh")
"""Okta's authentication context classes, the weakest first."""
_OKTA_IF_POSSIBLE = "urn:okta:loa:2fa:any:ifpossible"
"""Proves only one factor, since a user without a second factor meets it too."""


def _satisfying_acrs(acr: str) -> frozenset[str]:
    """Return the classes that are at least as strong; for a class that is not Okta's, only the class itself."""
    if acr == _OKTA_IF_POSSIBLE:
        return frozenset({acr, *_OKTA_LEVELS[2:]})
    if acr == _OKTA_LEVELS[0]:
        return frozenset({*_OKTA_LEVELS, _OKTA_IF_POSSIBLE})
    if acr in _OKTA_LEVELS:
        return frozenset(_OKTA_LEVELS[_OKTA_LEVELS.index(acr) :])
    return frozenset({acr})


@dataclass(frozen=True, kw_only=True, slots=True)
class StepUp:
    """How a user must have been authenticated.

    Args:
        acr_values: The accepted authentication context classes, in order of preference.
        max_age: The maximum age of the authentication in seconds, without leeway; None for any age.
        satisfying: All classes that are at least as strong as one of ``acr_values``.
        is_required: Whether either of the two is required.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    satisfying: frozenset[str] = frozenset()
    is_required: bool = False

    def check(self, principal: Principal, *, now: float) -> None:
        """Check the authentication of a principal.

        Raises:
            InsufficientAuthentication: It is too weak or too old, or the token does not state its time.
        """
        if self.acr_values and principal.acr not in self.satisfying:
            raise self._error(Reason.INSUFFICIENT_ACR, f"acr {principal.acr!r}"[:200])
        if self.max_age is not None:
            if principal.auth_time is None:
                raise self._error(Reason.AUTHENTICATION_TOO_OLD, "the token has no auth_time")
            if now - principal.auth_time > self.max_age:
                raise self._error(Reason.AUTHENTICATION_TOO_OLD, f"{now - principal.auth_time:.0f} s ago")

    def _error(self, reason: Reason, detail: str) -> InsufficientAuthentication:
        return InsufficientAuthentication(reason, detail, acr_values=self.acr_values, max_age=self.max_age)


def parse_step_up(*, acr_values: object, max_age: object) -> StepUp:
    """Parse the attributes ``acr_values`` and ``max_age``.

    Raises:
        TypeError: An attribute has a type without a meaning.
        ValueError: A class contains a character that a challenge cannot contain, or the age is negative.
    """
    if not isinstance(acr_values, Iterable):
        raise TypeError(f"acr_values must be a string or a list of strings, not {acr_values!r}")
    values = tuple(acr_values.split() if isinstance(acr_values, str) else acr_values)
    for value in values:
        if not isinstance(value, str) or not _ACR.fullmatch(value):
            raise ValueError(f"{value!r} is not a valid item of acr_values (RFC 9470 section 3)")
    if max_age is not None and (not isinstance(max_age, int) or isinstance(max_age, bool)):
        raise TypeError(f"max_age must be an integer number of seconds, not {max_age!r}")
    if max_age is not None and max_age < 0:
        raise ValueError(f"max_age must not be negative, but is {max_age}")
    return StepUp(
        acr_values=values,
        max_age=max_age,
        satisfying=frozenset().union(*map(_satisfying_acrs, values)),
        is_required=bool(values) or max_age is not None,
    )
