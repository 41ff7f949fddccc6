"""What a handler requires of whoever calls it, written on its class or on one of its methods."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from service.web.policy.attribute_names import reject_near_misses
from service.web.policy.requirements import ATTRIBUTES, Requirements, parse_requirements

M = TypeVar("M", bound=Callable[..., Any])
_POLICY_ATTRIBUTE = "_policy_words"
_OTHER_ATTRIBUTES = {"authorize", "cors_origins", "openapi", "token_sources", "token_cookie", "further_challenges"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The requirements of one handler.

    Args:
        requirements: What each method requires.
        has_authorize: Whether the handler has an ``authorize`` of its own, which is asked last.
        decorated: The words of every decorator that was read.
    """

    requirements: Mapping[str, Requirements] = field(default_factory=dict)
    has_authorize: bool = False
    decorated: tuple[Mapping[str, object], ...] = ()

    @classmethod
    def read(cls, handler: type[Any], *, base: type) -> Policy:
        """Return the policy that a handler's class attributes, and the decorators of its methods, spell.

        Args:
            base: The class whose own ``authorize`` lets everybody pass.

        Raises:
            TypeError: Something is of a type that means nothing, so that the author meant something else.
            ValueError: Something cannot be, or two requirements contradict each other.
        """
        reject_near_misses(handler, ATTRIBUTES.keys() | _OTHER_ATTRIBUTES, base=base)
        attributes = {name: getattr(handler, name) for name in ATTRIBUTES}
        methods: tuple[str, ...] = handler.SUPPORTED_METHODS
        by_method = _per_method(attributes, methods)
        decorated = dict(_read_decorators(handler, methods))
        requirements = {
            method: parse_requirements(**_merge(by_method[method], decorated.get(method, [None])[0]))
            for method in methods
        }
        has_authorize = _overrides_authorize(handler, base)
        if has_authorize and (attributes["public"] or attributes["optional"]):
            raise ValueError("authorize binds nobody where no token is needed; drop it, or public and optional")
        return cls(
            requirements=requirements,
            has_authorize=has_authorize,
            decorated=tuple(mark for found in decorated.values() for mark in found),
        )

    @property
    def validations(self) -> frozenset[str]:
        """The kinds of validation that its methods insist on; "" for that of the settings."""
        return frozenset(requirements.validation for requirements in self.requirements.values())

    def of(self, method: str | None) -> Requirements:
        """Return what a method requires; Tornado has answered those that the handler does not know."""
        return self.requirements[method or ""]


def policy(**attributes: object) -> Callable[[M], M]:
    """Return a decorator that gives one method its own requirements, in the words of the class attributes.

    Each word stands in place of the class's; ``public`` and ``optional`` stand in place of all of them.
    Those of ``get`` hold for HEAD as well, unless ``head`` has words of its own.
    A subclass whose method overrides the decorated one without a decorator keeps the requirements.

    Raises:
        TypeError: There is no such word, or the method has a policy already.
    """
    if unknown := attributes.keys() - ATTRIBUTES.keys():
        raise TypeError(f"policy() got {', '.join(sorted(unknown))}; it knows {', '.join(ATTRIBUTES)}")

    def mark(method: M) -> M:
        if hasattr(method, _POLICY_ATTRIBUTE):
            raise TypeError(f"{method.__qualname__} has two policies; write all their words into one")

        @functools.wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            # A decorator above this one that hides it would open the method: then it must not run at all.
            if not any(attributes is decorator_attributes for decorator_attributes in self.policy.decorated):
                raise RuntimeError(f"{method.__qualname__}: its policy was not read; put @policy above all decorators")
            return method(self, *args, **kwargs)

        setattr(checked, _POLICY_ATTRIBUTE, attributes)
        return cast("M", checked)

    return mark


def _per_method(attributes: Mapping[str, object], methods: tuple[str, ...]) -> Mapping[str, Mapping[str, object]]:
    """Return the words of each method, where ``scopes`` may be a mapping from methods."""
    scopes = attributes["scopes"]
    if not isinstance(scopes, Mapping):
        return dict.fromkeys(methods, attributes)
    if unknown := scopes.keys() - set(methods):
        raise ValueError(f"scopes names {sorted(unknown)}; methods are written as {', '.join(methods)}")
    if "GET" in scopes:
        scopes = {"HEAD": scopes["GET"], **scopes}
    return {method: {**attributes, "scopes": scopes.get(method, ())} for method in methods}


def _merge(attributes: Mapping[str, object], mark: Mapping[str, object] | None) -> dict[str, Any]:
    """Return the words of one method: its own before its class's, and protected unless they say otherwise."""
    if mark is None:
        return dict(attributes)
    if mark.get("public") or mark.get("optional"):
        return {**ATTRIBUTES, **mark}
    return {**attributes, "public": False, "optional": False, **mark}


def _read_decorators(handler: type, methods: tuple[str, ...]) -> Iterator[tuple[str, list[Mapping[str, object]]]]:
    """Yield, for each decorated method, the words of its decorators, the nearest class first."""
    for kind in handler.__mro__:
        for name, value in vars(kind).items():
            if inspect.isfunction(value) and hasattr(value, _POLICY_ATTRIBUTE) and name.upper() not in methods:
                raise TypeError(f"@policy stands on {name}, which is no method of HTTP")
    found = {method: list(_decorators_of(handler, method)) for method in methods}
    # Whoever may not read a thing may not learn its length and its hash either (RFC 9110 section 9.3.2).
    found["HEAD"] = found.get("HEAD") or found.get("GET", [])
    yield from ((method, decorated) for method, decorated in found.items() if decorated)


def _decorators_of(handler: type, method: str) -> Iterator[Mapping[str, object]]:
    """Yield the words of the decorators of one method, the nearest class first."""
    for kind in handler.__mro__:
        function = vars(kind).get(method.lower())
        if hasattr(function, _POLICY_ATTRIBUTE):
            yield getattr(function, _POLICY_ATTRIBUTE)


def _overrides_authorize(handler: type[Any], base: type) -> bool:
    """Return whether a handler has an ``authorize`` of its own, which takes a principal."""
    authorize = handler.authorize
    if authorize is vars(base)["authorize"]:
        return False
    try:
        inspect.signature(authorize).bind(None, None)
    except TypeError:
        raise TypeError("authorize takes the principal: def authorize(self, principal)") from None
    return True
