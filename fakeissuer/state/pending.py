"""State between two steps of a flow: pushed requests, codes and pending authorizations.

See RFC 6749 section 4.1.2, RFC 8628 section 3 and RFC 9126 section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fakeissuer.model.claims import Grant

CODE_LIFETIME_S = 300
DEVICE_CODE_LIFETIME_S = 600
BACKCHANNEL_LIFETIME_S = 300
POLL_INTERVAL_S = 5
RETENTION_S = 86_400
"""How long an expired code gets another error than an unknown one."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PushedRequest:
    """The parameters of a pushed request, which only the server that received it accepts."""

    server: str
    parameters: Mapping[str, str]


@dataclass(kw_only=True, repr=False)
class AuthorizationCode:
    """The grant of a code, its redirect URI and PKCE challenge, and whether it was used."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: float
    is_used: bool = False


@dataclass(kw_only=True, repr=False)
class PendingAuthorization:
    """An authorization that a client polls for until the user decides; ``expires_at`` is in seconds since the epoch."""

    server: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: float
    interval_s: int = POLL_INTERVAL_S
    next_poll_at: float = 0
    decision: Literal["pending", "approved", "denied", "used"] = "pending"
    grant: Grant | None = None


@dataclass(kw_only=True, repr=False)
class DeviceAuthorization(PendingAuthorization):
    """A device authorization that waits for a user to enter its code."""

    user_code: str


@dataclass(kw_only=True, repr=False)
class BackchannelAuthentication(PendingAuthorization):
    """A CIBA request that waits for the user whom the client named; ``name`` identifies it on the approval page."""

    name: str
    login: str
    binding_message: str
