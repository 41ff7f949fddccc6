"""What a user's approval is kept as until the client fetches tokens (RFC 6749 section 4.1.2, RFC 8628 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fakeissuer.tokens import Grant

CODE_LIFETIME_S = 300
DEVICE_CODE_LIFETIME_S = 600
POLL_INTERVAL_S = 5


@dataclass(kw_only=True, repr=False)
class AuthorizationCode:
    """What a code stands for, to whom it was sent, and whether it was used."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: float
    is_spent: bool = False


@dataclass(kw_only=True, repr=False)
class DeviceAuthorization:
    """A device that waits for a user, how often it may ask, and what the user said."""

    server: str
    issuer: str
    client_id: str
    user_code: str
    scopes: tuple[str, ...]
    expires_at: float
    interval_s: int = POLL_INTERVAL_S
    next_poll_at: float = 0
    verdict: Literal["pending", "approved", "denied", "spent"] = "pending"
    grant: Grant | None = None
