"""``/_fake/faults``: trouble on demand."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler, EmptyBody
from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record
from fakeissuer.state.faults import Fault


class FaultsHandler(ControlHandler):
    """The faults that are still to come."""

    def get(self) -> None:
        """Tell which faults are still to come; ``times`` is what is left."""
        self.send(self.issuer.state.faults.planned())

    def post(self) -> None:
        """Plan a fault."""
        self.send(self.issuer.plan_fault(self.read(Fault)))

    def delete(self) -> None:
        """Plan nothing any more."""
        self.issuer.state.faults.clear()
        self.send([])


class ClockRequest(Record, frozen=True, kw_only=True):
    """Changes of the clock, in this order: ``set`` in seconds since the epoch, ``advance`` in seconds, ``freeze``."""

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
        query = self.read(ClockRequest)
        if query == ClockRequest():
            raise InvalidRequestError("Say what is to happen to the clock: set, advance or freeze.")
        self.issuer.clock.move(set_to=query.set, advance=query.advance, freeze=query.freeze)
        self.send(self.issuer.clock.state())

    def delete(self) -> None:
        """Return to real time."""
        self.issuer.clock.reset()
        self.send(self.issuer.clock.state())


class ApprovalDecision(Record, frozen=True, kw_only=True):
    """Whose requests are settled, and how."""

    login: str
    allow: bool = True


class ApprovalsHandler(ControlHandler):
    """Requests of CIBA."""

    def get(self) -> None:
        """Tell what waits."""
        self.send(self.issuer.approvals())

    def post(self) -> None:
        """Settle all that waits for a user."""
        decision = self.read(ApprovalDecision)
        self.send(self.issuer.resolve(decision.login, allow=decision.allow))


class ResetHandler(ControlHandler):
    """The way back."""

    def post(self) -> None:
        """Return to the state of the start."""
        self.read(EmptyBody)
        self.issuer.reset()
        self.send({"reset": True})
