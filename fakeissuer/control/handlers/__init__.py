"""HTTP handlers of the control plane below ``/_fake/``."""

from __future__ import annotations

from fakeissuer.control.handlers import keys, overview, registry, requests, scenario, tokens
from fakeissuer.control.handlers.base import ControlHandler

_MODULES = (overview, tokens, scenario, keys, requests, registry)

CONTROL_ROUTES: tuple[tuple[str, type[ControlHandler]], ...] = (
    *(
        (member.path, member)
        for module in _MODULES
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, ControlHandler) and member is not ControlHandler
    ),
    (ControlHandler.path, ControlHandler),
)
"""The path below ``/_fake`` and the handler of each call, collected from the modules; the last matches any path."""

CALL_PATHS = tuple(path.removeprefix("/") for path, _ in CONTROL_ROUTES if not set(path) & set("?*"))
"""The calls with a constant path, without the slash."""

__all__ = ["CALL_PATHS", "CONTROL_ROUTES", "ControlHandler"]
