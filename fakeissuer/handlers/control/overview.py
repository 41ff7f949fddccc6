"""`/_fake/`: everything that is here, as JSON, and for a browser as a console to work with."""

from __future__ import annotations

from fakeissuer.endpoints import ENDPOINT_NAMES
from fakeissuer.handlers.control.base import ControlHandler
from fakeissuer.pages import page


class OverviewHandler(ControlHandler):
    """Servers, clients, users, and where to find what."""

    def get(self) -> None:
        """Tell what is here."""
        # Whoever asks for nothing in particular is a program; only browsers name HTML.
        if "text/html" not in self.request.headers.get("Accept", ""):
            self.send(self.issuer.overview())
            return
        reply = page("console", here=self.issuer.overview(), endpoints=ENDPOINT_NAMES)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body)
