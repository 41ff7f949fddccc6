"""The control plane below `/_fake/`: how tests tell the issuer what to do, over HTTP."""

from __future__ import annotations

from fakeissuer.handlers.control.approvals import ApprovalsHandler
from fakeissuer.handlers.control.base import ControlHandler
from fakeissuer.handlers.control.clock import ClockHandler
from fakeissuer.handlers.control.entries import EntryHandler
from fakeissuer.handlers.control.faults import FaultsHandler
from fakeissuer.handlers.control.keys import KeysHandler, LagHandler, RotateHandler, WithdrawHandler
from fakeissuer.handlers.control.overview import OverviewHandler
from fakeissuer.handlers.control.requests import RequestsHandler
from fakeissuer.handlers.control.reset import ResetHandler
from fakeissuer.handlers.control.tokens import BadTokensHandler, RevokeHandler, TokensHandler

CONTROL_ROUTES: tuple[tuple[str, type[ControlHandler]], ...] = (
    ("/?", OverviewHandler),
    ("/tokens", TokensHandler),
    ("/bad-tokens", BadTokensHandler),
    ("/revoke", RevokeHandler),
    ("/approvals", ApprovalsHandler),
    ("/faults", FaultsHandler),
    ("/clock", ClockHandler),
    ("/keys", KeysHandler),
    ("/keys/rotate", RotateHandler),
    ("/keys/withdraw", WithdrawHandler),
    ("/keys/lag", LagHandler),
    ("/requests", RequestsHandler),
    ("/(?P<kind>users|clients|servers)/(?P<name>[^/]+)", EntryHandler),
    ("/reset", ResetHandler),
    ("/.*", ControlHandler),
)
"""Each call by its path below `/_fake`, in the order of the table in the documentation."""

__all__ = ["CONTROL_ROUTES", "ControlHandler"]
