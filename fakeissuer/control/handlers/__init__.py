"""The control plane below ``/_fake/``: how tests tell the issuer what to do, over HTTP."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.control.handlers.keys import KeysHandler, PublicationDelayHandler, RotateHandler, WithdrawHandler
from fakeissuer.control.handlers.overview import OverviewHandler
from fakeissuer.control.handlers.registry import ResourceHandler
from fakeissuer.control.handlers.requests import RequestsHandler
from fakeissuer.control.handlers.scenario import ApprovalsHandler, ClockHandler, FaultsHandler, ResetHandler
from fakeissuer.control.handlers.tokens import BadTokensHandler, RevokeHandler, TokensHandler

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
    ("/keys/lag", PublicationDelayHandler),
    ("/requests", RequestsHandler),
    ("/(?P<kind>users|clients|servers)/(?P<name>[^/]+)", ResourceHandler),
    ("/reset", ResetHandler),
    ("/.*", ControlHandler),
)
"""Each call by its path below ``/_fake``, in the order of the table in the documentation."""

__all__ = ["CONTROL_ROUTES", "ControlHandler"]
