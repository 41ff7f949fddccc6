"""What is kept between two steps of a client: what it pushed, and what a user's approval gives it.

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
"""How long a code that has expired is still told from one that never was."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PushedRequest:
    """The parameters that a client pushed, and the server that it pushed them to, which alone answers them."""

    server: str
    parameters: Mapping[str, str]


@dataclass(kw_only=True, repr=False)
class AuthorizationCode:
    """What a code stands for, to whom it was sent, and whether it was used."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: float
    is_used: bool = False


@dataclass(kw_only=True, repr=False)
class PendingAuthorization:
    """What a client asks for again and again until its user has decided: how often it may, and what the user said."""

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
    """A device that waits for a user who types its code."""

    user_code: str


@dataclass(kw_only=True, repr=False)
class BackchannelAuthentication(PendingAuthorization):
    """A client that waits for a user whom it named; ``name`` is what the approval page calls it."""

    name: str
    login: str
    binding_message: str
