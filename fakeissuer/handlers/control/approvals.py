"""`/_fake/approvals`: what waits for users, and their verdicts, without a page."""

from __future__ import annotations

from fakeissuer.handlers.control.base import ControlHandler
from fakeissuer.records import Record


class Verdict(Record, frozen=True, kw_only=True):
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
        verdict = self.read(Verdict)
        self.send(self.issuer.settle(verdict.login, allow=verdict.allow))
