"""Whether a user was authenticated strongly and recently enough (RFC 9470 sections 3 and 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import InsufficientAuthentication, Reason
from service.tokens.principal import Principal

_ACR = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # what stands in a quoted string, and is separated by spaces

_OKTA_LEVELS = ("urn:okta:loa:1fa:any", "urn:okta:loa:1fa:pwd", "urn:okta:loa:2fa:any", "phr", "phrh")
"""Okta's authentication context classes, the weakest first."""
_OKTA_IF_POSSIBLE = "urn:okta:loa:2fa:any:ifpossible"
"""Met by one factor where the user has no second one, so that it proves one factor and no more."""


def _satisfying_acrs(acr: str) -> frozenset[str]:
    """Return the classes that are as strong; of a class that is not Okta's, nothing is known but its name."""
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
        acr_values: The authentication context classes of which one is enough, the preferred first.
        max_age: Seconds that may have passed since; no leeway is added to them.
        satisfying: The classes that are as strong as one of ``acr_values``.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    satisfying: frozenset[str] = frozenset()
    is_required: bool = False

    def check(self, principal: Principal, *, now: float) -> None:
        """Ask whether the user of a token was authenticated well enough.

        Raises:
            InsufficientAuthentication: Too weakly, too long ago, or the token does not say.
        """
        if self.acr_values and principal.acr not in self.satisfying:
            raise self._refusal(Reason.INSUFFICIENT_ACR, f"saw {principal.acr!r}"[:200])
        if self.max_age is not None:
            if principal.auth_time is None:
                raise self._refusal(Reason.AUTHENTICATION_TOO_OLD, "the token does not say when")
            if now - principal.auth_time > self.max_age:
                raise self._refusal(Reason.AUTHENTICATION_TOO_OLD, f"{now - principal.auth_time:.0f} s ago")

    def _refusal(self, reason: Reason, detail: str) -> InsufficientAuthentication:
        return InsufficientAuthentication(reason, detail, acr_values=self.acr_values, max_age=self.max_age)


def parse_step_up(*, acr_values: object, max_age: object) -> StepUp:
    """Return the requirements that two attributes spell.

    Raises:
        TypeError: One of them is of a type that means nothing.
        ValueError: A class cannot stand in a challenge, or the age is negative.
    """
    if not isinstance(acr_values, Iterable):
        raise TypeError(f"acr_values is a text or a list, of which one is enough, not {acr_values!r}")
    values = tuple(acr_values.split() if isinstance(acr_values, str) else acr_values)
    for value in values:
        if not isinstance(value, str) or not _ACR.fullmatch(value):
            raise ValueError(f"{value!r} cannot be one of acr_values (RFC 9470 section 3)")
    if max_age is not None and (not isinstance(max_age, int) or isinstance(max_age, bool)):
        raise TypeError(f"max_age is a whole number of seconds, not {max_age!r}")
    if max_age is not None and max_age < 0:
        raise ValueError(f"max_age is a number of seconds that may have passed, not {max_age}")
    return StepUp(
        acr_values=values,
        max_age=max_age,
        satisfying=frozenset().union(*map(_satisfying_acrs, values)),
        is_required=bool(values) or max_age is not None,
    )
