"""Faults, the clock, pending approvals and the reset: what a test scenario changes."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler, EmptyBody
from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record
from fakeissuer.state.faults import Fault


class FaultsHandler(ControlHandler):
    """The active faults."""

    path = "/faults"

    def get(self) -> None:
        """Return the active faults; ``times`` is the number of requests that each still affects."""
        self.send(self.control.faults())

    def post(self) -> None:
        """Add a fault."""
        self.send(self.control.add_fault(self.read(Fault)))

    def delete(self) -> None:
        """Remove all faults."""
        self.control.clear_faults()
        self.send([])


class ClockRequest(Record, frozen=True, kw_only=True):
    """Changes applied in this order: ``set`` in seconds since the epoch, ``advance`` in seconds, ``freeze``."""

    set: float | None = None
    advance: float | None = None
    freeze: bool | None = None


class ClockHandler(ControlHandler):
    """The clock."""

    path = "/clock"

    def get(self) -> None:
        """Return the state of the clock."""
        self.send(self.control.clock.state())

    def post(self) -> None:
        """Set, advance, freeze or unfreeze the clock."""
        query = self.read(ClockRequest)
        if query == ClockRequest():
            raise InvalidRequestError("The body has no change of the clock; expected set, advance or freeze.")
        self.control.clock.move(set_to=query.set, advance=query.advance, freeze=query.freeze)
        self.send(self.control.clock.state())

    def delete(self) -> None:
        """Return to real time."""
        self.control.clock.reset()
        self.send(self.control.clock.state())


class ApprovalDecision(Record, frozen=True, kw_only=True):
    """A user's decision on all pending requests."""

    login: str
    allow: bool = True


class ApprovalsHandler(ControlHandler):
    """Pending CIBA requests."""

    path = "/approvals"

    def get(self) -> None:
        """Return the pending requests."""
        self.send(self.control.approvals())

    def post(self) -> None:
        """Approve or deny all pending requests of a user."""
        decision = self.read(ApprovalDecision)
        self.send(self.control.approve(decision.login, allow=decision.allow))


class ResetHandler(ControlHandler):
    """The reset."""

    path = "/reset"

    def post(self) -> None:
        """Restore the initial state."""
        self.read(EmptyBody)
        self.control.reset()
        self.send({"reset": True})
