"""Checks a handler class before it serves a request, in case it has changed since the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.errors import SettingsError
from service.web.handler.adaptation import Adapt, find_adaptation
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.policy.attribute_values import copy_values

_STATE = frozenset(
    {
        "prepare",
        "_execute",
        "_requirements",
        "_principal",
        "_credentials",
        "_is_authentication_done",
    }
)
"""The attributes that no new handler has: they would replace a check, or are left from an earlier request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedClass:
    """A handler class as it was when it was checked.

    Args:
        values: The values of its attributes.
        methods: Its ``prepare`` and ``_execute``, and their types, since a proxy equals the method that it wraps.
        adapt: Makes authentication run first in a handler; None if the class does so itself.
        serves_head: Whether its ``get`` responds to HEAD.
        forbidden: The attributes that no new handler of the class has.
    """

    values: tuple[object, ...]
    methods: tuple[object, ...]
    adapt: Adapt | None
    serves_head: bool
    forbidden: frozenset[str]


def check_class(
    kind: type[BearerAuthMixin],
    check: Callable[[type[BearerAuthMixin]], None],
    *,
    methods: tuple[object, ...],
    head_as_get: bool,
) -> CheckedClass:
    """Check a handler class, and return it as it is now.

    Args:
        check: Raises SettingsError unless the application can validate the tokens of the class.
        methods: Its methods that are compared later.
        head_as_get: Whether a ``get`` without a ``head`` responds to HEAD by default.

    Raises:
        SettingsError: It is neither protected nor public, or does not enforce what it states.
    """
    if (problem := find_problem(kind, {})) is not None:
        raise SettingsError([problem])
    check(kind)
    return CheckedClass(
        values=copy_values(kind),
        methods=methods,
        adapt=find_adaptation(kind),
        serves_head=kind._serves_head(by_default=head_as_get),  # noqa: SLF001  # of our class
        forbidden=_STATE | kind._class_only,  # noqa: SLF001  # the names that only the class may set
    )
