"""The application of the admin port: deny list and key sets for operators, readiness with its reason, and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.caches.deny_list import DenyList
from service.clock import Clock
from service.health import Health
from service.operations.admin.audit import AuditLog
from service.operations.admin.changes import DenyListHandler, KeySetsHandler
from service.operations.admin.handler import NotFoundHandler
from service.operations.admin.health import HealthHandler, MetricsHandler, ReadyHandler, StatusHandler
from service.operations.admin.hosts import ForeignHost
from service.operations.admin.operator_handler import AdminAccess, ForeignHostHandler
from service.operations.admin.operators import Operators
from service.operations.metrics.metrics import Metrics
from service.web.connections.trusted_proxies import TrustedProxies


def make_admin_app(
    deny_list: DenyList,
    *,
    clock: Clock,
    tokens: Mapping[str, str],
    metrics: Metrics,
    health: Health,
    foreign_host: ForeignHost,
    trusted_proxies: TrustedProxies | None = None,
    workers: Callable[[], list[dict[str, Any]] | None] = lambda: None,
) -> tornado.web.Application:
    """Return the application for the admin port.

    Args:
        foreign_host: Matches the requests to reject.
        health: The state of this process.
        metrics: The metrics, which are served without a token, as Prometheus expects.
        tokens: The token of each operator, sent as ``Authorization: Bearer``; without any, only health and metrics can
            be used.
        trusted_proxies: The proxies that report the address of an operator.
        workers: Returns what is known of each process of the program, as JSON values; None with a single process.
    """
    routes: list[Any] = [
        Rule(foreign_host, ForeignHostHandler),
        (r"/deny-list", DenyListHandler, {"deny_list": deny_list, "clock": clock}),
        (r"/key-sets/refresh", KeySetsHandler, {"deny_list": deny_list}),
        (r"/healthz", HealthHandler),
        (r"/livez", HealthHandler),
        (r"/readyz", ReadyHandler, {"health": health}),
        (r"/status", StatusHandler, {"health": health, "workers": workers}),
        (r"/metrics", MetricsHandler, {"metrics": metrics}),
    ]
    return tornado.web.Application(
        routes,
        default_handler_class=NotFoundHandler,
        log_function=_log_nothing,
        access=AdminAccess(
            operators=Operators(tokens, clock=clock), log=AuditLog(clock=clock), trusted_proxies=trusted_proxies
        ),
    )


def _log_nothing(_handler: tornado.web.RequestHandler) -> None:
    """Write no access log: the requests of operators are audited, and probes arrive every few seconds."""
