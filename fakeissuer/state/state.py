"""The state of one issuer, and its reset."""

from __future__ import annotations

from fakeissuer.model.registry import Registry
from fakeissuer.model.urls import IssuerURLs
from fakeissuer.profiles.profile import Profile
from fakeissuer.state.clock import Clock
from fakeissuer.state.dpop_nonces import DPoPNonces
from fakeissuer.state.expiring_store import ExpiringStore
from fakeissuer.state.faults import Faults
from fakeissuer.state.journal import ConnectionCounter, Journal
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.key_ring import KeyRings
from fakeissuer.state.pending import AuthorizationCode, BackchannelAuthentication, DeviceAuthorization, PushedRequest
from fakeissuer.state.sessions import Sessions
from fakeissuer.state.token_store import TokenStore
from fakeissuer.state.used_jtis import UsedJTIs


class IssuerState:
    """The state of one fake issuer; use it on the event loop that serves the issuer.

    ``start`` is the registry that a reset restores; ``auto_login`` is the user who signs in without a page.
    """

    registry: Registry

    def __init__(
        self, addresses: IssuerURLs, pool: KeyPool, profile: Profile, start: Registry, auto_login: str | None = None
    ) -> None:
        self.auto_login = auto_login
        self.profile = profile
        self.urls = addresses
        self.clock = Clock()
        self.store = TokenStore()
        self.used_jtis = UsedJTIs()
        self.dpop_nonces = DPoPNonces()
        self.codes: ExpiringStore[AuthorizationCode] = ExpiringStore()
        self.devices: ExpiringStore[DeviceAuthorization] = ExpiringStore()
        self.backchannel: ExpiringStore[BackchannelAuthentication] = ExpiringStore()
        self.user_codes: ExpiringStore[DeviceAuthorization] = ExpiringStore()
        self.pushed: ExpiringStore[PushedRequest] = ExpiringStore()
        self.session_tokens: ExpiringStore[str] = ExpiringStore()
        self.sessions = Sessions()
        self.journal = Journal()
        self.faults = Faults()
        self.connections = ConnectionCounter()
        self.started_at = self.clock.now()
        self.key_rings = KeyRings(pool, self.clock, profile)
        self._start = start
        self.reset()

    def reset(self) -> None:
        """Restore the initial state; the keys come from the pool, so none is generated."""
        self.registry = self._start.copy()
        self.key_rings.clear()
        self.clock.reset()
        self.store.clear()
        self.used_jtis.clear()
        self.dpop_nonces.clear()
        self.sessions.clear()
        for store in (self.codes, self.devices, self.backchannel, self.user_codes, self.pushed, self.session_tokens):
            store.clear()
        self.journal.clear()
        self.faults.clear()

    @property
    def cookie_name(self) -> str:
        """The name of the session cookie; it contains the port, because browsers share cookies between ports."""
        return f"fakeissuer-{self.urls.listening_url.rpartition(':')[2]}"
