"""``/_fake/users``, ``/_fake/clients`` and ``/_fake/servers``: the registered data."""

from __future__ import annotations

from typing import cast

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.records import read_members
from fakeissuer.model.registry import ResourceKind


class ResourceHandler(ControlHandler):
    """One user, client or server."""

    path = "/(?P<kind>users|clients|servers)/(?P<name>[^/]+)"

    def get(self, kind: str, name: str) -> None:
        """Return the resource."""
        self.send(self.control.get(cast(ResourceKind, kind), name))

    def put(self, kind: str, name: str) -> None:
        """Add or replace the resource."""
        self.send(self.control.put(cast(ResourceKind, kind), name, **read_members(self.request.body)))

    def delete(self, kind: str, name: str) -> None:
        """Remove and return the resource."""
        self.send(self.control.remove(cast(ResourceKind, kind), name))
