"""Access to the control plane: from this machine or with its token, never from a web page of another origin."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from fakeissuer.model.urls import is_loopback
from fakeissuer.responses.handler import is_from_another_origin


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
        # Cross-site request forgery: a browser sends a simple request to 127.0.0.1 for any page, in its user's name.
        if is_from_another_origin(request):
            return 403, "The control plane rejects requests from pages of another origin."
        return self.check_address(request)

    def check_address(self, request: HTTPServerRequest) -> tuple[int, str] | None:
        """Return a rejection as ``check_access`` does, or None if this machine sent the request to one of our names."""
        if not is_loopback(request.remote_ip or ""):
            return 403, "The control plane accepts requests from this machine only, unless a control token is set."
        # DNS rebinding: a web page whose host name resolves to 127.0.0.1 has our origin, but Host still has its name.
        host = request.host_name.strip("[]")
        if not is_loopback(host) and host not in self.allowed_hosts:
            return 403, "The control plane rejects this host name; use 127.0.0.1 or localhost."
        return None

    def _has_valid_token(self, request: HTTPServerRequest) -> bool:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            presented.strip().encode(), (self.token or "").encode()
        )
