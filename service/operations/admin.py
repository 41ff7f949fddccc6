"""The admin port: deny list and key sets for operators, readiness with its reason, metrics for Prometheus."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.caches.deny_list import DenyList
from service.caches.deny_store import Reach
from service.clock import Clock
from service.errors import IssuerUnavailable
from service.operations.admin_hosts import ForeignHost
from service.operations.admin_requests import BadRequest, parse_entry, parse_issuer
from service.operations.metrics.metrics import CONTENT_TYPE, Metrics

_logger = logging.getLogger(__name__)


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
    arguments = {"deny_list": deny_list, "clock": clock, "token": token}
    routes: list[Any] = [
        Rule(foreign_host, _ForeignHostHandler),
        (r"/deny-list", _DenyListHandler, arguments),
        (r"/key-sets/refresh", _KeySetsHandler, arguments),
        (r"/healthz", _HealthHandler),
        (r"/readyz", _ReadyHandler, {"check_ready": check_ready}),
        (r"/metrics", _MetricsHandler, {"metrics": metrics}),
    ]
    return tornado.web.Application(routes, default_handler_class=_NotFound, log_function=_log_nothing)


class _Handler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")  # Tornado's version

    def head(self) -> Awaitable[None] | None:
        return self.get()  # Tornado sends the header alone (RFC 9110 section 9.3.2); 405 without a `get`

    def send_json_error(self, status: int, error: str, description: str) -> None:
        """Send an error as JSON, in the form of the service."""
        self.set_status(status)
        self.finish({"error": error, "error_description": description})

    def write_error(self, status_code: int, **_: Any) -> None:
        error = {404: "not_found", 405: "method_not_allowed"}.get(status_code, "server_error")
        self.send_json_error(status_code, error, self._reason)


class _NotFound(_Handler):
    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


class _ForeignHostHandler(_Handler):
    def prepare(self) -> None:
        description = "Use localhost, an IP address of the port, or a host name that is listed in SERVICE_ADMIN_HOSTS"
        self.send_json_error(403, "access_denied", description)


class _HealthHandler(_Handler):
    def get(self) -> None:
        self.write({"status": "alive"})


class _ReadyHandler(_Handler):
    """The readiness with its reason, which the public endpoint withholds."""

    def initialize(self, *, check_ready: Callable[[], Awaitable[None]]) -> None:
        self._check_ready = check_ready

    async def get(self) -> None:
        try:
            await self._check_ready()
        except IssuerUnavailable as exc:
            self.set_status(503)
            self.write({"status": "not ready", "reason": exc.detail})
        else:
            self.write({"status": "ready"})


class _MetricsHandler(_Handler):
    """The metrics in the text format of Prometheus."""

    def initialize(self, *, metrics: Metrics) -> None:
        self._metrics = metrics

    async def get(self) -> None:
        text = await asyncio.to_thread(self._metrics.generate)  # reads one file for each process and metric type
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(text)


class _OperatorHandler(_Handler):
    """Requires the admin token."""

    def initialize(self, *, deny_list: DenyList, clock: Clock, token: str | None) -> None:
        self._deny_list = deny_list
        self._clock = clock
        self._token = token

    def prepare(self) -> None:
        if self._token is None:
            self.send_json_error(
                403,
                "access_denied",
                "No admin_token is set, so the deny list and key sets cannot be changed; set SERVICE_ADMIN_TOKEN",
            )
        elif not self._has_admin_token(self._token):
            self.set_header("WWW-Authenticate", 'Bearer realm="admin"')
            self.send_json_error(401, "invalid_token", "Send the admin token, as: Authorization: Bearer TOKEN")

    def _has_admin_token(self, token: str) -> bool:
        # Compared in constant time, which does not reveal how many characters are right.
        fields = self.request.headers.get_list("Authorization")
        presented = fields[0] if len(fields) == 1 else ""
        return hmac.compare_digest(presented.encode("utf-8", "replace"), f"Bearer {token}".encode())


class _DenyListHandler(_OperatorHandler):
    """Lists, adds and removes deny list entries."""

    async def get(self) -> None:
        if not self._deny_list.fresh:
            await self._deny_list.refresh()
        denied = sorted(self._deny_list, key=lambda entry: entry.expires_at)
        self.write({"denied": [asdict(entry) for entry in denied]})

    async def post(self) -> None:
        try:
            entry = parse_entry(self.request.body, now=self._clock.now())
            reach = await self._deny_list.add(entry)
        except (BadRequest, OverflowError) as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        fields = {"kind": entry.kind, "expires_at": _format_time(entry.expires_at)}
        _logger.warning("deny list entry added", extra=fields)
        self.set_status(201)
        self.write(asdict(entry) | _describe(reach))
        return None

    async def delete(self) -> None:
        try:
            entry = parse_entry(self.request.body, now=self._clock.now())
        except BadRequest as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        reach = await self._deny_list.remove(*entry.key)
        _logger.warning("deny list entry removed", extra={"kind": entry.kind})
        self.write({"lifted": {entry.kind: entry.value, "issuer": entry.issuer}} | _describe(reach))
        return None


class _KeySetsHandler(_OperatorHandler):
    """Fetches the key set of one issuer, or of all, in every process at once."""

    async def post(self) -> None:
        try:
            issuer = parse_issuer(self.request.body)
            results, reach = await self._deny_list.refresh_key_sets(issuer)
        except (BadRequest, OverflowError) as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        if not results:
            return self.send_json_error(404, "not_found", "No key set of this issuer is in use; is its name exact?")
        if failed := [name for name, succeeded in results.items() if not succeeded]:
            return self.send_json_error(
                503, "temporarily_unavailable", f"The key set of {', '.join(failed)} could not be fetched; try again"
            )
        self.write({"refreshed": list(results)} | _describe(reach))
        return None


def _describe(reach: Reach) -> dict[str, bool]:
    """Return the members of a response that say how far a change has come."""
    return {"shared": reach.shared} if reach.saved is None else {"shared": reach.shared, "saved": reach.saved}


def _format_time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def _log_nothing(_handler: tornado.web.RequestHandler) -> None:
    """Write no access log: changes are logged by the handler, and probes arrive every few seconds."""
