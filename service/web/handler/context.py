"""The objects that all protected handlers of one application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from service.authenticator import Authenticators
from service.clock import Clock, SystemClock
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.handler.token_monitor import TokenMonitor
from service.web.policy.scopes import ScopeMatching
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceServerContext:
    """The objects that all protected handlers of one application share; a setting of the Tornado application."""

    SETTING: ClassVar[str] = "resource_server"

    authenticators: Authenticators
    cors: CrossOriginPolicy
    realm: str
    resource: Resource = field(default_factory=Resource)
    scope_matching: ScopeMatching = ScopeMatching.EXACT
    head_as_get: bool = False
    clock: Clock = field(default_factory=SystemClock)
    trusted_proxies: TrustedProxies | None = None
    monitor: TokenMonitor = field(default_factory=lambda: TokenMonitor(clock=SystemClock()))
