"""``/_fake/``: everything that is here, as JSON, and for a browser as a console to work with."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.endpoints import ENDPOINT_NAMES
from fakeissuer.responses.pages import page


class OverviewHandler(ControlHandler):
    """Servers, clients, users, and where to find what."""

    def get(self) -> None:
        """Tell what is here; the page is empty, and its script asks for the same as any program."""
        if not self._wants_html:
            self.send(self.issuer.overview())
            return
        reply = page("console", needs_token=self.guard.token is not None, endpoints=ENDPOINT_NAMES)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body)

    def check_access(self) -> tuple[int, str] | None:
        """Return why this is refused; a browser cannot show a token before a page has asked for it."""
        if self._wants_html and self.guard.token is not None:
            return None
        return super().check_access()

    @property
    def _wants_html(self) -> bool:
        # Whoever asks for nothing in particular is a program; only browsers name HTML.
        return self.request.method == "GET" and "text/html" in self.request.headers.get("Accept", "")
