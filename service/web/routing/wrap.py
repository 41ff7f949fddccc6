"""Protects the handlers of other packages, such as Tornado's own, in the list of routes."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, overload

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_names import CLASS_ONLY, HANDLER_ATTRIBUTES, STATED
from service.web.policy.requirements import ATTRIBUTES

H = TypeVar("H", bound=tornado.web.RequestHandler)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StatedRequirements:
    """What ``protected(…)`` and ``public()`` return without a handler class: called with a class, protects it.

    Args:
        attributes: The class attributes of each protected class.
    """

    attributes: Mapping[str, object] = field(default_factory=dict)

    def __call__(self, handler: type[H]) -> type[H]:
        """Return a subclass of a handler with these requirements; they replace those of a protected handler.

        Its type is that of the handler, since Python has no type for a subclass of both; it also has the attributes of
        :class:`BearerAuthMixin`.

        Raises:
            TypeError: A requirement has a type without a meaning, or one of the handler would be lost.
            ValueError: A requirement has an impossible value, or two requirements contradict each other.
        """
        if issubclass(handler, BearerAuthMixin):
            bases: tuple[type, ...] = (handler,)
            is_open = self.attributes.get("public") or self.attributes.get("optional")
            # As for `@policy`: a class that others marked public is protected all the same.
            attributes = {**(ATTRIBUTES if is_open else {"public": False, "optional": False}), **self.attributes}
        else:
            bases = (BearerAuthMixin, handler)
            names = CLASS_ONLY - self.attributes.keys()
            attributes = {**self.attributes, "_class_only": names, "_keeps_public": False}
        body = {name: getattr(handler, name) for name in ("__module__", "__qualname__", "__doc__")} | attributes
        body[STATED] = self
        protected_class = types.new_class(handler.__name__, bases, exec_body=lambda namespace: namespace.update(body))
        return cast("type[H]", protected_class)


@overload
def protected(handler: type[H], /, **attributes: Any) -> type[H]: ...
@overload
def protected(**attributes: Any) -> StatedRequirements: ...
def protected(handler: type[H] | None = None, /, **attributes: object) -> type[H] | StatedRequirements:
    """Return a subclass of a handler with these requirements, named as the class attributes are.

    ``(r"/files/(.*)", protected(StaticFileHandler, scopes="files:read"), {"path": "files"})``

    Args:
        handler: None returns the requirements, for ``protect(…, wrap=…)`` and as a decorator of classes.
        attributes: All class attributes of :class:`BearerAuthMixin`, and ``authorize``.

    Raises:
        TypeError: A requirement is unknown, has a type without a meaning, or is one of the handler and would be lost.
        ValueError: A requirement has an impossible value, or two requirements contradict each other.
    """
    for name in attributes:
        if name not in HANDLER_ATTRIBUTES:
            near = difflib.get_close_matches(name, HANDLER_ATTRIBUTES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it accepts {', '.join(HANDLER_ATTRIBUTES)}"
            raise TypeError(f"protected() does not accept {name}; {hint}")
    requirements = StatedRequirements(attributes=attributes)
    if handler is None:
        # Values are checked here, where they are written, rather than for each class of an application.
        requirements(tornado.web.RequestHandler)
        return requirements
    if not (isinstance(handler, type) and issubclass(handler, tornado.web.RequestHandler)):
        raise TypeError(f"protected() expects a handler class, not {handler!r}")
    return requirements(handler)


@overload
def public(handler: type[H], /) -> type[H]: ...
@overload
def public() -> StatedRequirements: ...
def public(handler: type[H] | None = None, /) -> type[H] | StatedRequirements:
    """Return a subclass of a handler that is marked public.

    ``(r"/old", public(RedirectHandler), {"url": "/new"})``

    Args:
        handler: None returns the requirements, for ``protect(…, wrap=…)`` and as a decorator of classes.

    Raises:
        ValueError: The handler has an ``authorize``, which needs a token.
    """
    return protected(public=True) if handler is None else protected(handler, public=True)
