"""A scriptable authorization server that imitates Okta, offline, to test an API with.

A request goes from ``server`` (routes) to ``handlers`` or ``control`` and from there to ``oauth``; ``state`` holds
everything that can change. Tests use ``with running() as issuer:``, which returns a ``RunningIssuer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakeissuer.errors import FakeIssuerError, InvalidRequestError, NotFoundError, SettingsError
    from fakeissuer.server.dpop_client import DPoPClient
    from fakeissuer.server.in_process import running
    from fakeissuer.server.running_issuer import RunningIssuer

__all__ = [
    "DPoPClient",
    "FakeIssuerError",
    "InvalidRequestError",
    "NotFoundError",
    "RunningIssuer",
    "SettingsError",
    "running",
]

_MODULES = {
    "DPoPClient": "server.dpop_client",
    "RunningIssuer": "server.running_issuer",
    "running": "server.in_process",
}


if not TYPE_CHECKING:  # it would make every name an attribute

    def __getattr__(name: str) -> Any:
        # pytest imports this package with its plugins in every run of every project: the server is imported on demand.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415  # on demand

        from fakeissuer.errors import report_missing_extra  # noqa: PLC0415  # as above

        with report_missing_extra():
            return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
