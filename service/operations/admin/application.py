"""The application of the admin port: deny list and key sets for operators, readiness with its reason, and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.caches.deny_list import DenyList
from service.clock import Clock
from service.operations.admin.audit import AuditLog
from service.operations.admin.changes import DenyListHandler, KeySetsHandler
from service.operations.admin.handler import NotFoundHandler
from service.operations.admin.health import HealthHandler, MetricsHandler, ReadyHandler
from service.operations.admin.hosts import ForeignHost
from service.operations.admin.operator_handler import AdminAccess, ForeignHostHandler
from service.operations.admin.operators import Operators
from service.operations.metrics import Metrics
from service.web.connections.trusted_proxies import TrustedProxies


def make_admin_app(
    deny_list: DenyList,
    *,
    clock: Clock,
    tokens: Mapping[str, str],
    metrics: Metrics,
    check_ready: Callable[[], Awaitable[None]],
    foreign_host: ForeignHost,
    trusted_proxies: TrustedProxies | None = None,
) -> tornado.web.Application:
    """Return the application for the admin port.

    Args:
        check_ready: Raises :class:`~service.errors.IssuerUnavailable` if tokens cannot be validated now.
        foreign_host: Matches the requests to reject.
        metrics: The metrics, which are served without a token, as Prometheus expects.
        tokens: The token of each operator, sent as ``Authorization: Bearer``; without any, only health and metrics can
            be used.
        trusted_proxies: The proxies that report the address of an operator.
    """
    routes: list[Any] = [
        Rule(foreign_host, ForeignHostHandler),
        (r"/deny-list", DenyListHandler, {"deny_list": deny_list, "clock": clock}),
        (r"/key-sets/refresh", KeySetsHandler, {"deny_list": deny_list}),
        (r"/healthz", HealthHandler),
        (r"/readyz", ReadyHandler, {"check_ready": check_ready}),
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
