"""`/_fake/`: everything that is here, on one page."""

from __future__ import annotations

from fakeissuer.handlers.control.base import ControlHandler


class OverviewHandler(ControlHandler):
    """Servers, clients, users, and where to find what."""

    def get(self) -> None:
        """Tell what is here."""
        self.send(self.issuer.overview())
