"""The base class of the handlers that require the token of an operator, and whose requests are audited."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field
from typing import Any

from service.operations.admin.audit import AuditLog
from service.operations.admin.handler import AdminHandler
from service.operations.admin.operators import Operators, TooManyAttempts, WrongToken
from service.tracing.received import REQUEST_ID, read_request_id
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.proxy_headers import FROM_TRUSTED_PROXY

_MAX_LENGTH = 100
"""Characters of what a client without a token has chosen."""
_NO_ADDRESS = frozenset({"", "0.0.0.0"})  # noqa: S104  # what Tornado reports, not an address to listen on
_REJECTED = "admin request rejected"
_NO_TOKENS = (
    "No admin_token is set, so the deny list and key sets cannot be changed; set SERVICE_ADMIN_TOKEN or admin_tokens"
)


@dataclass(frozen=True, kw_only=True)
class AdminAccess:
    """What every handler of an operator needs; the setting ``access`` of the Tornado application."""

    operators: Operators
    log: AuditLog
    trusted_proxies: TrustedProxies | None = None


@dataclass(kw_only=True)
class AuditRecord:
    """What the audit log will say of a request."""

    event: str = ""
    level: int = logging.WARNING
    reason: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


class AuditedHandler(AdminHandler):
    """Writes one line of the audit log for each request, whatever the response."""

    operator: str | None = None

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        # Here, since Tornado rejects an unknown method before `prepare`.
        self.audited = AuditRecord()
        self._peer = self._address

    def prepare(self) -> None:
        """Read the address of the client and the ID of the request."""
        if self._access.trusted_proxies is not None:
            self._access.trusted_proxies.read(self.request)
        self._use_request_id_of_proxy()

    def on_finish(self) -> None:
        """Write the line."""
        record, log, status = self.audited, self._access.log, self.get_status()
        address, proxy = self._address, self._peer
        reason = "method_not_allowed" if status == 405 else record.reason
        fields = {
            "method": (self.request.method or "")[:_MAX_LENGTH],
            "path": self.request.path[:_MAX_LENGTH],
            "status": status,
            "reason": reason,
            "operator": self.operator,
            **record.fields,
            "remote_ip": address,
            "proxy": None if proxy == address else proxy,
            "request_id": self.request_id,
        }
        if status < 400:
            log.write(record.event, level=record.level, **fields)
        elif self.operator is not None:
            log.write(_REJECTED if status < 500 else "admin request failed", **fields)
        elif status == 429:
            log.write_limited(_REJECTED, **fields)
        else:
            log.write_rejection(_REJECTED, **fields)

    def reject(self, status: int, error: str, description: str, *, reason: str) -> None:
        """Send an error as JSON.

        Args:
            reason: One word for the audit log; the description may quote the request.
        """
        self.audited.reason = reason
        self.send_json_error(status, error, description)

    def _use_request_id_of_proxy(self) -> None:
        """Replace the ID of the request; any other client could make a line look like that of another request."""
        is_trusted = vars(self.request).get(FROM_TRUSTED_PROXY, False)
        if is_trusted and (identifier := read_request_id(self.request.headers)) is not None:
            self.request_id = identifier
            self.set_header(REQUEST_ID, self.request_id)

    @property
    def _address(self) -> str:
        """The address of the client; ``unix`` at a Unix socket, where it has none."""
        address = self.request.remote_ip or ""
        family = getattr(getattr(self.request.connection, "context", None), "address_family", None)
        return "unix" if family == socket.AF_UNIX and address in _NO_ADDRESS else address

    @property
    def _access(self) -> AdminAccess:
        access: AdminAccess = self.settings["access"]
        return access


class OperatorHandler(AuditedHandler):
    """Requires the token of an operator."""

    def prepare(self) -> None:
        """Reject a request without a token."""
        super().prepare()
        operators = self._access.operators
        if not operators:
            self.reject(403, "access_denied", _NO_TOKENS, reason="no_admin_token_set")
            return
        fields = self.request.headers.get_list("Authorization")
        try:
            self.operator = operators.identify(fields, address=self._address)
        except TooManyAttempts as exc:
            self.set_header("Retry-After", str(exc.retry_after))
            description = f"This address has sent too many wrong tokens; try again in {exc.retry_after} seconds"
            self.reject(429, "too_many_requests", description, reason="too_many_attempts")
        except WrongToken as exc:
            self.set_header("WWW-Authenticate", 'Bearer realm="admin"')
            description = "Send the admin token, as: Authorization: Bearer TOKEN"
            self.reject(401, "invalid_token", description, reason=str(exc))


class ForeignHostHandler(AuditedHandler):
    """Rejects the requests that :class:`~service.operations.admin.hosts.ForeignHost` matches."""

    def prepare(self) -> None:
        """Respond with 403."""
        super().prepare()
        description = "Use localhost, an IP address of the port, or a host name that is listed in SERVICE_ADMIN_HOSTS"
        self.reject(403, "access_denied", description, reason="foreign_host")
