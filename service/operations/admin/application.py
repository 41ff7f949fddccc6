"""The application of the admin port: deny list and key sets for operators, readiness with its reason, and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.caches.deny_list import DenyList
from service.clock import Clock
from service.operations.admin.changes import DenyListHandler, KeySetsHandler
from service.operations.admin.handler import ForeignHostHandler, NotFoundHandler
from service.operations.admin.health import HealthHandler, MetricsHandler, ReadyHandler
from service.operations.admin.hosts import ForeignHost
from service.operations.metrics import Metrics


def make_admin_app(
    deny_list: DenyList,
    *,
    clock: Clock,
    token: str | None,
    metrics: Metrics,
    check_ready: Callable[[], Awaitable[None]],
    foreign_host: ForeignHost,
) -> tornado.web.Application:
    """Return the application for the admin port.

    Args:
        check_ready: Raises :class:`~service.errors.IssuerUnavailable` if tokens cannot be validated now.
        foreign_host: Matches the requests to reject.
        metrics: The metrics, which are served without a token, as Prometheus expects.
        token: The admin token, sent as ``Authorization: Bearer``; if None, only health and metrics can be used.
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
        routes, default_handler_class=NotFoundHandler, log_function=_log_nothing, admin_token=token
    )


def _log_nothing(_handler: tornado.web.RequestHandler) -> None:
    """Write no access log: changes are logged by the handler, and probes arrive every few seconds."""
