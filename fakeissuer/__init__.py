"""A scriptable authorization server that imitates Okta, offline, to test an API with.

Read it in the order in which a request goes: ``server.routes`` finds the handler, ``handlers`` answer for the issuer,
``grants``, ``introspection`` and ``mint`` decide, ``state`` holds what can change, ``fault_injection`` injects faults.
A test says ``with running() as issuer:`` and works with the ``RunningIssuer`` that it gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakeissuer.errors import FakeIssuerError, InvalidRequestError, NotFoundError, SettingsError
    from fakeissuer.server.in_process import running
    from fakeissuer.server.running_issuer import RunningIssuer

__all__ = ["FakeIssuerError", "InvalidRequestError", "NotFoundError", "RunningIssuer", "SettingsError", "running"]

_MODULES = {"RunningIssuer": "server.running_issuer", "running": "server.in_process"}


def __getattr__(name: str) -> Any:
    # pytest loads its plugins, and so this package, in every run of every project: a server is not loaded with them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # as said

    from fakeissuer.errors import report_missing_extra  # noqa: PLC0415  # as above

    with report_missing_extra():
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
