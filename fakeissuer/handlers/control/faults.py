"""`/_fake/faults`: trouble on demand."""

from __future__ import annotations

from fakeissuer.faults import Fault
from fakeissuer.handlers.control.base import ControlHandler


class FaultsHandler(ControlHandler):
    """The faults that are still to come."""

    def get(self) -> None:
        """Tell which faults are still to come; `times` is what is left."""
        self.send(self.issuer.state.faults.planned())

    def post(self) -> None:
        """Plan a fault."""
        self.send(self.issuer.plan_fault(self.read(Fault)))

    def delete(self) -> None:
        """Plan nothing any more."""
        self.issuer.state.faults.clear()
        self.send([])
