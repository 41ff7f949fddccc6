"""`/_fake/clock`: moving, stopping and reading the issuer's wall clock."""

from __future__ import annotations

from fakeissuer.errors import Unacceptable
from fakeissuer.handlers.control.base import ControlHandler
from fakeissuer.records import Record


class ClockRequest(Record, frozen=True, kw_only=True):
    """What is to happen to the clock: `set` in seconds since the epoch, then `advance` in seconds, then `freeze`."""

    set: float | None = None
    advance: float | None = None
    freeze: bool | None = None


class ClockHandler(ControlHandler):
    """The clock."""

    def get(self) -> None:
        """Tell what the clock says."""
        self.send(self.issuer.clock.state())

    def post(self) -> None:
        """Move the clock, stop it, or let it run on."""
        wanted = self.read(ClockRequest)
        if wanted == ClockRequest():
            raise Unacceptable("Say what is to happen to the clock: set, advance or freeze.")
        self.issuer.clock.move(set_to=wanted.set, advance=wanted.advance, freeze=wanted.freeze)
        self.send(self.issuer.clock.state())

    def delete(self) -> None:
        """Return to real time."""
        self.issuer.clock.reset()
        self.send(self.issuer.clock.state())
