"""``/_fake/users``, ``/_fake/clients``, ``/_fake/servers``: who and what the issuer knows."""

from __future__ import annotations

from typing import cast

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.records import read_members
from fakeissuer.model.registry import ResourceKind


class ResourceHandler(ControlHandler):
    """One user, client or server."""

    def get(self, kind: str, name: str) -> None:
        """Tell what is known about it."""
        self.send(self.issuer.get(cast(ResourceKind, kind), name))

    def put(self, kind: str, name: str) -> None:
        """Add it, or put it in the place of the one that is there."""
        self.send(self.issuer.put(cast(ResourceKind, kind), name, read_members(self.request.body)))

    def delete(self, kind: str, name: str) -> None:
        """Remove it; the answer is what it was."""
        self.send(self.issuer.remove(cast(ResourceKind, kind), name))
