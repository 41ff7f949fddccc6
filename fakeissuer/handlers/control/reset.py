"""`/_fake/reset`: as at start."""

from __future__ import annotations

from fakeissuer.handlers.control.base import ControlHandler, Nothing


class ResetHandler(ControlHandler):
    """The way back."""

    def post(self) -> None:
        """Return to the state of the start."""
        self.read(Nothing)
        self.issuer.reset()
        self.send({"reset": True})
