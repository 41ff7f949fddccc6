"""Reads the requirements of a handler from its class attributes and from ``@policy`` on its methods."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from service.web.policy.attribute_names import reject_near_misses, reject_similar_methods, takes_principal
from service.web.policy.attribute_values import reject_unreadable_value, reject_unreadable_values
from service.web.policy.hidden import is_decorated_inside
from service.web.policy.requirements import ATTRIBUTES, Requirements, parse_requirements

M = TypeVar("M", bound=Callable[..., Any])
_POLICY_ATTRIBUTE = "_policy_attributes"
_UNDECORATED = ("builtins", "tornado.", "service.web.handler.")
"""The modules of base classes without decorators; their many attributes would slow down the definition of a class."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The requirements of one handler.

    Args:
        requirements: The requirements of each method.
        has_authorize: Whether the handler overrides ``authorize``, which is called last.
        decorated: The attributes of every decorator that was read.
        named_methods: The methods that have a decorator, or are named in the mapping of scopes.
    """

    requirements: Mapping[str, Requirements] = field(default_factory=dict)
    has_authorize: bool = False
    decorated: tuple[Mapping[str, object], ...] = ()
    named_methods: frozenset[str] = frozenset()

    @classmethod
    def read(cls, handler: type[Any], *, base: type) -> Policy:
        """Read the policy of a handler from its class attributes and the decorators of its methods.

        Args:
            base: The class whose own ``authorize`` always returns True.

        Raises:
            TypeError: An attribute or ``authorize`` is misspelled, an attribute has a type without a meaning, or the
                decorator of a method has no effect.
            ValueError: An attribute has an impossible value, or two requirements contradict each other.
        """
        reject_near_misses(handler, base=base)
        reject_unreadable_values(handler)
        attributes = {name: getattr(handler, name) for name in ATTRIBUTES}
        methods: tuple[str, ...] = handler.SUPPORTED_METHODS
        by_method = _attributes_by_method(attributes, methods)
        decorators = _read_decorators(handler, methods)
        requirements = {
            method: parse_requirements(**_merge(by_method[method], next(iter(decorators[method]), None)))
            for method in methods
        }
        has_authorize = _overrides_authorize(handler, base)
        if has_authorize and (attributes["public"] or attributes["optional"]):
            raise ValueError(
                "authorize has no effect on requests without a token; remove it, or remove public and optional"
            )
        return cls(
            requirements=requirements,
            has_authorize=has_authorize,
            decorated=tuple(each for of_method in decorators.values() for each in of_method),
            named_methods=frozenset(method for method in methods if decorators[method] or _names(attributes, method)),
        )

    @property
    def validations(self) -> frozenset[str]:
        """The kinds of validation that the methods require; "" is the kind in the settings."""
        return frozenset(requirements.validation for requirements in self.requirements.values())


def policy(**attributes: object) -> Callable[[M], M]:
    """Return a decorator that gives one method its own requirements, named as the class attributes are.

    Each attribute replaces the one of the class; ``public`` and ``optional`` replace all of them.
    The requirements of ``get`` apply to HEAD too, unless ``head`` is decorated itself.
    A subclass that overrides the decorated method without a decorator keeps the requirements.

    Raises:
        TypeError: An attribute is unknown or can be read only once, the method has a policy already, or it is none.
        ValueError: A string is empty.
    """
    if unknown := attributes.keys() - ATTRIBUTES.keys():
        raise TypeError(f"policy() does not accept {', '.join(sorted(unknown))}; it accepts {', '.join(ATTRIBUTES)}")
    for name, value in attributes.items():
        reject_unreadable_value(name, value)

    def decorate(method: M) -> M:
        if isinstance(method, type) or not callable(method):
            raise TypeError(f"@policy decorates a method, not {method!r}; put it above all decorators of the method")
        if hasattr(method, _POLICY_ATTRIBUTE):
            raise TypeError(f"{method.__qualname__} has two policies; put all requirements into one @policy")

        @functools.wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            # Another decorator may hide this one, and then its requirements were not checked.
            if not any(attributes is read for read in type(self).policy.decorated):
                raise RuntimeError(
                    f"{method.__qualname__}: another decorator hides its policy; put @policy above all decorators"
                )
            return method(self, *args, **kwargs)

        setattr(checked, _POLICY_ATTRIBUTE, attributes)
        return cast("M", checked)

    return decorate


def _attributes_by_method(
    attributes: Mapping[str, object], methods: tuple[str, ...]
) -> Mapping[str, Mapping[str, object]]:
    """Return the class attributes for each method, since ``scopes`` may be a mapping from methods."""
    scopes = attributes["scopes"]
    if not isinstance(scopes, Mapping):
        return dict.fromkeys(methods, attributes)
    if unknown := scopes.keys() - set(methods):
        raise ValueError(f"scopes names {sorted(unknown)}, which are not methods; use {', '.join(methods)}")
    if "GET" in scopes:
        scopes = {"HEAD": scopes["GET"], **scopes}
    return {method: {**attributes, "scopes": scopes.get(method, ())} for method in methods}


def _names(attributes: Mapping[str, object], method: str) -> bool:
    scopes = attributes["scopes"]
    return isinstance(scopes, Mapping) and method in scopes


def _merge(attributes: Mapping[str, object], decorated: Mapping[str, object] | None) -> dict[str, Any]:
    """Return the attributes of one method; a decorated method is protected even if its class is public."""
    if decorated is None:
        return dict(attributes)
    if decorated.get("public") or decorated.get("optional"):
        return {**ATTRIBUTES, **decorated}
    return {**attributes, "public": False, "optional": False, **decorated}


def _read_decorators(handler: type, methods: tuple[str, ...]) -> dict[str, list[Mapping[str, object]]]:
    """Return the attributes of the decorators of each method, the nearest class first."""
    names = {method.lower() for method in methods}
    for kind in handler.__mro__:
        if kind.__module__.startswith(_UNDECORATED):
            continue
        for name, value in vars(kind).items():
            if is_decorated_inside(value, _POLICY_ATTRIBUTE):
                raise TypeError(f"another decorator hides the @policy of {name}; put @policy above all decorators")
            if inspect.isroutine(value) and hasattr(value, _POLICY_ATTRIBUTE) and name not in names:
                raise TypeError(f"@policy is on {name}, which is not a supported HTTP method")
    decorators = {method: list(_decorators_of(handler, method)) for method in methods}
    if "HEAD" in decorators and not decorators["HEAD"]:
        # HEAD would disclose the length and the hash of the response to GET (RFC 9110 section 9.3.2).
        decorators["HEAD"] = decorators.get("GET", [])
    return decorators


def _decorators_of(handler: type, method: str) -> Iterator[Mapping[str, object]]:
    for kind in handler.__mro__:
        function = vars(kind).get(method.lower())
        if hasattr(function, _POLICY_ATTRIBUTE):
            yield getattr(function, _POLICY_ATTRIBUTE)


def _overrides_authorize(handler: type[Any], base: type) -> bool:
    """Return whether a handler overrides ``authorize``.

    Raises:
        TypeError: Its ``authorize`` is not a method that accepts a principal, or has a similar name.
    """
    authorize = inspect.getattr_static(handler, "authorize")
    if authorize is vars(base)["authorize"]:
        reject_similar_methods(handler, base=base)
        return False
    if isinstance(authorize, staticmethod) or not inspect.isroutine(authorize) or not takes_principal(authorize):
        raise TypeError("authorize is a method that takes the principal: def authorize(self, principal)")
    return True
