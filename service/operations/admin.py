"""The admin port: the deny list for operators, readiness with its reason, and metrics for Prometheus."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.caches.deny_list import KINDS, DenyEntry, DenyList
from service.clock import Clock
from service.errors import IssuerUnavailable
from service.operations.admin_hosts import ForeignHost
from service.operations.metrics import CONTENT_TYPE, Metrics
from service.tokens import encoding

_logger = logging.getLogger(__name__)

MAX_ENTRY_LIFETIME = 400 * 24 * 3600.0
"""Seconds; longer than the lifetime of any access token."""
_DEFAULT_ENTRY_LIFETIME = 24 * 3600.0
_MEMBERS = frozenset({*KINDS, "issuer", "expires_in"})
_MAX_VALUE_LENGTH = 1024


class _BadRequest(Exception):
    """The request is malformed; the message is sent to the client."""


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
        token: The admin token, sent as ``Authorization: Bearer``; if None, the deny list cannot be used.
    """
    arguments = {"deny_list": deny_list, "clock": clock, "token": token}
    routes: list[Any] = [
        Rule(foreign_host, _ForeignHostHandler),
        (r"/deny-list", _DenyListHandler, arguments),
        (r"/healthz", _HealthHandler),
        (r"/readyz", _ReadyHandler, {"check_ready": check_ready}),
        (r"/metrics", _MetricsHandler, {"metrics": metrics}),
    ]
    return tornado.web.Application(routes, default_handler_class=_NotFound, log_function=_log_nothing)


class _Handler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")  # Tornado's version

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


class _DenyListHandler(_Handler):
    """Lists, adds and removes deny list entries."""

    def initialize(self, *, deny_list: DenyList, clock: Clock, token: str | None) -> None:
        self._deny_list = deny_list
        self._clock = clock
        self._token = token

    def prepare(self) -> None:
        if self._token is None:
            self.send_json_error(
                403, "access_denied", "No admin_token is set, so the deny list cannot be used; set SERVICE_ADMIN_TOKEN"
            )
        elif not self._has_admin_token(self._token):
            self.set_header("WWW-Authenticate", 'Bearer realm="admin"')
            self.send_json_error(401, "invalid_token", "Send the admin token, as: Authorization: Bearer TOKEN")

    def get(self) -> None:
        denied = sorted(self._deny_list, key=lambda entry: entry.expires_at)
        self.write({"denied": [asdict(entry) for entry in denied]})

    async def post(self) -> None:
        try:
            entry = _parse_entry(self.request.body, now=self._clock.now())
            shared = await self._deny_list.add(entry)
        except (_BadRequest, OverflowError) as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        fields = {"kind": entry.kind, "expires_at": _format_time(entry.expires_at)}
        _logger.warning("deny list entry added", extra=fields)
        self.set_status(201)
        self.write(asdict(entry) | {"shared": shared})
        return None

    async def delete(self) -> None:
        try:
            entry = _parse_entry(self.request.body, now=self._clock.now())
        except _BadRequest as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        shared = await self._deny_list.remove(*entry.key)
        _logger.warning("deny list entry removed", extra={"kind": entry.kind})
        self.write({"lifted": {entry.kind: entry.value, "issuer": entry.issuer}, "shared": shared})
        return None

    def _has_admin_token(self, token: str) -> bool:
        # Compared in constant time, which does not reveal how many characters are right.
        fields = self.request.headers.get_list("Authorization")
        presented = fields[0] if len(fields) == 1 else ""
        return hmac.compare_digest(presented.encode("utf-8", "replace"), f"Bearer {token}".encode())


def _parse_entry(body: bytes, *, now: float) -> DenyEntry:
    """Return the entry in a request body: ``{"jti" | "sub" | "cid": text, "issuer"?, "expires_in"?}``."""
    try:
        members = encoding.decode_json_object(body)
    except ValueError:
        raise _BadRequest('The body is not a JSON object, such as {"jti": "AT.x1", "expires_in": 3600}') from None
    if unknown := members.keys() - _MEMBERS:
        raise _BadRequest(f"There is no member {min(unknown)[:40]!r}; expected {', '.join(sorted(_MEMBERS))}")
    kind = _read_kind(members)
    issuer, lifetime = members.get("issuer"), members.get("expires_in", _DEFAULT_ENTRY_LIFETIME)
    if not (issuer is None or isinstance(issuer, str)):
        raise _BadRequest("issuer is the name of an issuer, or left out for all of them")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or not 0 < lifetime <= MAX_ENTRY_LIFETIME:
        raise _BadRequest(f"expires_in is a number of seconds, more than 0 and at most {MAX_ENTRY_LIFETIME:.0f}")
    return DenyEntry(kind=kind, value=members[kind], issuer=issuer, expires_at=now + lifetime)


def _read_kind(members: Mapping[str, Any]) -> str:
    kinds = [kind for kind in KINDS if kind in members]
    if len(kinds) != 1:
        raise _BadRequest(f"Name exactly one of {', '.join(KINDS)}")
    value = members[kinds[0]]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_VALUE_LENGTH:
        raise _BadRequest(f"{kinds[0]} is a text of at most {_MAX_VALUE_LENGTH} characters")
    return kinds[0]


def _format_time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def _log_nothing(_handler: tornado.web.RequestHandler) -> None:
    """Write no access log: changes are logged by the handler, and probes arrive every few seconds."""
