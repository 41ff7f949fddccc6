"""The thread-safe interface of a running issuer, which tests use.

Its methods accept and return the same members as the control plane.
"""

from __future__ import annotations

import asyncio

from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.server.on_loop import LoopProxy, on_loop
from fakeissuer.state.clock import Clock


class RunningIssuerClock(LoopProxy[Clock]):
    """The issuer's clock; as the argument ``clock`` of ``make_app`` or ``protect``, also that of the API under test."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._target.now()  # an API calls it for each request, so it does not wait for the issuer's thread

    def monotonic(self) -> float:
        """Return monotonic seconds, which advance with the clock and never go back."""
        return self._target.monotonic()

    state = on_loop(Clock.state)
    advance = on_loop(Clock.advance)
    set = on_loop(Clock.set)
    freeze = on_loop(Clock.freeze)
    unfreeze = on_loop(Clock.unfreeze)
    reset = on_loop(Clock.reset)


class RunningIssuer(LoopProxy[IssuerControl]):
    """A running fake issuer; its methods can be called from any thread.

    An invalid call raises ``InvalidRequestError`` or ``NotFoundError`` and changes nothing.
    """

    def __init__(self, control: IssuerControl, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(control, loop)
        self.url: str = control.state.urls.public_url
        self.clock = RunningIssuerClock(control.clock, loop)

    issuer_url = on_loop(IssuerControl.issuer_url)
    overview = on_loop(IssuerControl.overview)
    token = on_loop(IssuerControl.token)
    mint = on_loop(IssuerControl.mint)
    bad_tokens = on_loop(IssuerControl.bad_tokens)
    good_tokens = on_loop(IssuerControl.good_tokens)
    revoke = on_loop(IssuerControl.revoke)
    approvals = on_loop(IssuerControl.approvals)
    approve = on_loop(IssuerControl.approve)
    fail = on_loop(IssuerControl.fail)
    faults = on_loop(IssuerControl.faults)
    clear_faults = on_loop(IssuerControl.clear_faults)
    keys = on_loop(IssuerControl.keys)
    key_set = on_loop(IssuerControl.key_set)
    rotate = on_loop(IssuerControl.rotate)
    delay_publication = on_loop(IssuerControl.delay_publication)
    publish_now = on_loop(IssuerControl.publish_now)
    withdraw = on_loop(IssuerControl.withdraw)
    requests = on_loop(IssuerControl.requests)
    clear_requests = on_loop(IssuerControl.clear_requests)
    get = on_loop(IssuerControl.get)
    put = on_loop(IssuerControl.put)
    remove = on_loop(IssuerControl.remove)
    reset = on_loop(IssuerControl.reset)
