"""What a test holds in its hand: the script of a running issuer, safe to call from any thread.

It speaks the words of the control plane: the same members go in, the same members come out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from copy import deepcopy
from typing import Any, TypeVar

from fakeissuer.control.bad_tokens import BadToken
from fakeissuer.control.issuer import FakeIssuer
from fakeissuer.control.mint_request import MintedToken, MintRequest
from fakeissuer.control.overview import Approval, Overview
from fakeissuer.model.clients import Client
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.records import to_record
from fakeissuer.model.registry import ResourceKind
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.state.clock import ClockState
from fakeissuer.state.faults import Fault
from fakeissuer.state.journal import Requests
from fakeissuer.state.key_ring import KeyStatus

T = TypeVar("T")


class LoopThreadCaller:
    """Runs calls on an event loop: at once when called from its thread, else handed over and waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop whose thread is this one."""
        self._loop = loop
        self._thread = threading.get_ident()

    def __call__(self, call: Callable[[], T]) -> T:
        """Return what the call returns, or raise what it raises."""
        if threading.get_ident() == self._thread:
            return call()
        done: Future[T] = Future()
        self._loop.call_soon_threadsafe(_finish, done, call)
        return done.result()


class RunningIssuerClock:
    """The issuer's wall clock, in seconds since the epoch."""

    def __init__(self, issuer: FakeIssuer, on_loop: LoopThreadCaller) -> None:
        """Take the issuer whose clock it is."""
        self._issuer = issuer
        self._on_loop = on_loop

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._on_loop(self._issuer.clock.now)

    def state(self) -> ClockState:
        """Return the time, how far it is from real time, and whether it stands still."""
        return self._on_loop(self._issuer.clock.state)

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds, backwards when they are negative."""
        self._on_loop(lambda: self._issuer.clock.advance(seconds))

    def set(self, moment: float) -> None:
        """Put the clock at a moment, in seconds since the epoch."""
        self._on_loop(lambda: self._issuer.clock.set(moment))

    def freeze(self) -> None:
        """Stop the clock where it is."""
        self._on_loop(self._issuer.clock.freeze)

    def unfreeze(self) -> None:
        """Let a stopped clock run on."""
        self._on_loop(self._issuer.clock.unfreeze)

    def reset(self) -> None:
        """Return to real time."""
        self._on_loop(self._issuer.clock.reset)


class RunningIssuer:
    """A running fake issuer.

    A call that is rejected raises ``InvalidRequestError`` or ``NotFoundError`` and changes nothing.
    """

    def __init__(self, issuer: FakeIssuer, loop: asyncio.AbstractEventLoop) -> None:
        """Take an issuer that is served on this loop, whose thread is this one."""
        self._issuer = issuer
        self._on_loop = LoopThreadCaller(loop)
        self.url: str = issuer.state.urls.public_url
        self.clock = RunningIssuerClock(issuer, self._on_loop)

    def issuer_url(self, server: str = "default") -> str:
        """Return the issuer identifier of a server: what an API is told to trust."""
        return self._on_loop(lambda: self._issuer.issuer_url(server))

    def overview(self) -> Overview:
        """Return the servers, clients and users there are."""
        return self._on_loop(self._issuer.overview)

    def token(self, **members: Any) -> str:
        """Return any token; the members are those of ``MintRequest``, ``sub``, ``scp``, ``expires_in`` and so on."""
        return self.mint(**members).token

    def mint(self, **members: Any) -> MintedToken:
        """Return any token, with its header and its claims; the members are those of ``MintRequest``."""
        request = to_record(deepcopy(members), MintRequest)
        return deepcopy(self._on_loop(lambda: self._issuer.mint(request)))

    def bad_tokens(self, server: str = "default") -> list[BadToken]:
        """Return the catalogue of bad tokens: each with the rule it breaks, and the right status and error."""
        return self._on_loop(lambda: self._issuer.bad_tokens(server))

    def approvals(self) -> list[Approval]:
        """Return what waits for users, the oldest first."""
        return self._on_loop(self._issuer.approvals)

    def approve(self, login: str, *, allow: bool = True) -> list[Approval]:
        """Approve, or deny, all that waits for a user, and return what that was."""
        return self._on_loop(lambda: self._issuer.resolve(login, allow=allow))

    def revoke(self, token: str) -> None:
        """Revoke a token, whichever client it belongs to."""
        self._on_loop(lambda: self._issuer.revoke(token))

    def fail(self, endpoint: EndpointName, **members: Any) -> Fault:
        """Inject a fault at an endpoint; the members are those of ``Fault``."""
        fault = to_record({"endpoint": endpoint, **members}, Fault)
        return self._on_loop(lambda: self._issuer.plan_fault(fault))

    def faults(self) -> list[Fault]:
        """Return the faults that are still to come."""
        return self._on_loop(self._issuer.state.faults.planned)

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self._on_loop(self._issuer.state.faults.clear)

    def keys(self, server: str = "default") -> list[KeyStatus]:
        """Return each key of a server: its kid, its status, whether it is published."""
        return self._on_loop(lambda: self._issuer.keys(server))

    def key_set(self, server: str = "default") -> dict[str, list[dict[str, Any]]]:
        """Return the published keys of a server as a JWK Set, as its keys endpoint gives them."""
        return deepcopy(self._on_loop(lambda: self._issuer.key_set(server)))

    def rotate(self, server: str = "default") -> list[KeyStatus]:
        """Make the server's NEXT key its ACTIVE one; the old one stays published as EXPIRED."""
        return self._on_loop(lambda: self._issuer.rotate(server))

    def withdraw(self, kid: str) -> list[KeyStatus]:
        """Take a key out of its key set at once; whether it signs does not change."""
        return self._on_loop(lambda: self._issuer.withdraw(kid))

    def delay_publication(self, server: str = "default", *, seconds: float | None = None) -> list[KeyStatus]:
        """Sign with a key that the key set does not show yet: for so many seconds, or until ``publish_now``."""
        return self._on_loop(lambda: self._issuer.delay_publication(server, seconds))

    def publish_now(self, server: str = "default") -> list[KeyStatus]:
        """Publish the key that a lag has kept back."""
        return self._on_loop(lambda: self._issuer.publish_now(server))

    def requests(self, endpoint: EndpointName | None = None, *, server: str | None = None) -> Requests:
        """Return the requests that were made: how many, over how many connections, and which."""
        return self._on_loop(lambda: self._issuer.requests(endpoint, server))

    def clear_requests(self) -> None:
        """Count from nothing again."""
        self._on_loop(self._issuer.state.journal.clear)

    def get(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Return one of the ``users``, ``clients`` or ``servers``."""
        return deepcopy(self._on_loop(lambda: self._issuer.get(kind, name)))

    def put(self, kind: ResourceKind, name: str, /, **members: Any) -> Server | Client | User:
        """Add one of the ``users``, ``clients`` or ``servers``, or put it in the place of the one of that name."""
        return deepcopy(self._on_loop(lambda: self._issuer.put(kind, name, deepcopy(members))))

    def remove(self, kind: ResourceKind, name: str) -> Server | Client | User:
        """Remove one of the ``users``, ``clients`` or ``servers``, and return what it was."""
        return self._on_loop(lambda: self._issuer.remove(kind, name))

    def reset(self) -> None:
        """Return to the state of the start."""
        self._on_loop(self._issuer.reset)


def _finish(done: Future[T], call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except BaseException as exc:  # noqa: BLE001  # whatever it is, it belongs to whoever waits
        done.set_exception(exc)
