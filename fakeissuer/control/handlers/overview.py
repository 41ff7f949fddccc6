"""``/_fake/``: an overview as JSON, and the console for browsers."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.endpoints import ENDPOINT_NAMES
from fakeissuer.responses.pages import page


class OverviewHandler(ControlHandler):
    """Servers, clients, users and links."""

    path = "/?"

    def get(self) -> None:
        """Return the overview; the console is a page without data whose script requests the same JSON."""
        if not self._wants_html:
            self.send(self.control.overview())
            return
        reply = page("console", needs_token=self.guard.token is not None, endpoints=ENDPOINT_NAMES)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body)

    def check_access(self) -> tuple[int, str] | None:
        """Return a rejection or None; the console needs no token, because its page asks the user for one.

        A link on another site may open the console, whose page has no data and rejects frames.
        """
        if self._wants_html and self.guard.token is not None:
            return None
        if self._wants_html and self.request.headers.get("Sec-Fetch-Mode") == "navigate":
            return self.guard.check_address(self.request)
        return super().check_access()

    @property
    def _wants_html(self) -> bool:
        # Only browsers name HTML in Accept; programs send */* or nothing.
        return self.request.method in {"GET", "HEAD"} and "text/html" in self.request.headers.get("Accept", "")
