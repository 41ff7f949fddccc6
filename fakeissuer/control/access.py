"""Access to the control plane: from this machine or with its token, never from a web page of another origin."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from fakeissuer.model.urls import is_loopback


@dataclass(frozen=True)
class ControlGuard:
    """Checks access by token if one is configured, otherwise by address, host name and origin."""

    allowed_hosts: frozenset[str]
    token: str | None = field(default=None, repr=False)

    def check_access(self, request: HTTPServerRequest) -> tuple[int, str] | None:
        """Return the status and description of a rejection, or None if the caller has access."""
        if self.token is not None:
            return (
                None
                if self._has_valid_token(request)
                else (401, "The control plane requires its token as a bearer token.")
            )
        if not is_loopback(request.remote_ip or ""):
            return 403, "The control plane accepts requests from this machine only, unless a control token is set."
        # DNS rebinding: a web page whose host name resolves to 127.0.0.1 has our origin, but Host still has its name.
        host = request.host_name.strip("[]")
        if not is_loopback(host) and host not in self.allowed_hosts:
            return 403, "The control plane rejects this host name; use 127.0.0.1 or localhost."
        # Cross-site request forgery: a browser sends a simple POST to 127.0.0.1 for any page, with the page's Origin.
        if any(origin.partition("://")[2] != request.host for origin in request.headers.get_list("Origin")):
            return 403, "The control plane rejects requests from pages of another origin."
        return None

    def _has_valid_token(self, request: HTTPServerRequest) -> bool:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            presented.strip().encode(), (self.token or "").encode()
        )
