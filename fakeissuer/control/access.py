"""Who may reach the control plane: this machine, or whoever knows its token; never a page in somebody's browser."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from fakeissuer.model.urls import is_loopback


@dataclass(frozen=True)
class ControlGuard:
    """The rule, made of what the program was told at its start."""

    allowed_hosts: frozenset[str]
    token: str | None = field(default=None, repr=False)

    def check_access(self, request: HTTPServerRequest) -> tuple[int, str] | None:
        """Return status and sentence for a request that may not pass, None for one that may."""
        if self.token is not None:
            return (
                None
                if self._has_valid_token(request)
                else (401, "The control plane wants its token as a Bearer token.")
            )
        if not is_loopback(request.remote_ip or ""):
            return 403, "The control plane answers only on this machine, unless a token is set for it."
        # DNS rebinding: a page on the web gets its own name to mean 127.0.0.1 and then is of our origin. The name it
        # was loaded from still stands in Host.
        host = request.host_name.strip("[]")
        if not is_loopback(host) and host not in self.allowed_hosts:
            return 403, "The control plane is not reached by this host name; use 127.0.0.1 or localhost."
        # Cross-site request forgery: a browser sends a simple POST to 127.0.0.1 from any page, and says from which.
        if any(origin.partition("://")[2] != request.host for origin in request.headers.get_list("Origin")):
            return 403, "The control plane does not answer pages of another origin."
        return None

    def _has_valid_token(self, request: HTTPServerRequest) -> bool:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            presented.strip().encode(), (self.token or "").encode()
        )
