"""The objects that all protected handlers of one application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from service.authenticator import Authenticators
from service.clock import Clock, SystemClock
from service.health import Health
from service.tokens.binding.possession import Possession
from service.tracing.spans import Tracing
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.possession import PossessionReader
from service.web.handler.token_monitor import TokenMonitor
from service.web.policy.scopes import ScopeMatching
from service.web.responses.challenge import ChallengeSchemes
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceServerContext:
    """The objects that all protected handlers of one application share; a setting of the Tornado application."""

    SETTING: ClassVar[str] = "resource_server"

    authenticators: Authenticators
    health: Health
    cors: CrossOriginPolicy
    realm: str
    resource: Resource = field(default_factory=Resource)
    scope_matching: ScopeMatching = ScopeMatching.EXACT
    head_as_get: bool = False
    log_principal: bool = False
    tracing: Tracing | None = None
    clock: Clock = field(default_factory=SystemClock)
    trusted_proxies: TrustedProxies | None = None
    possession: PossessionReader = field(default_factory=lambda: PossessionReader(url_of=lambda _request: None))
    proof_algorithms: tuple[str, ...] = ()
    challenges: ChallengeSchemes = field(default_factory=ChallengeSchemes)
    monitor: TokenMonitor = field(default_factory=lambda: TokenMonitor(clock=SystemClock()))

    def read_possession(self, handler: Any) -> Possession:
        """Return what a handler's request offers to prove, and what the handler requires of it."""
        kind, requirements = type(handler), handler._requirements
        return self.possession.read(
            handler.request,
            target=handler._proof_target()
            or (
                handler._original_method or handler.request.method,
                self.possession.url_of(handler.request),
            ),
            scope=f"{kind.__module__}.{kind.__qualname__}",
            dpop=requirements.dpop,
            needs_nonce=requirements.dpop_nonce,
        )
