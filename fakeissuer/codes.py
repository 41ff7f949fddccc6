"""What a user's approval is kept as until the client fetches tokens (RFC 6749 section 4.1.2, RFC 8628 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fakeissuer.tokens import Grant

CODE_LIFETIME_S = 300
DEVICE_CODE_LIFETIME_S = 600
BACKCHANNEL_LIFETIME_S = 300
POLL_INTERVAL_S = 5
REMEMBERED_S = 86_400
"""How long a code that has expired is still told from one that never was."""


@dataclass(kw_only=True, repr=False)
class AuthorizationCode:
    """What a code stands for, to whom it was sent, and whether it was used."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: float
    is_spent: bool = False


@dataclass(kw_only=True, repr=False)
class Awaited:
    """What a client asks for again and again until its user has decided: how often it may, and what the user said."""

    server: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: float
    interval_s: int = POLL_INTERVAL_S
    next_poll_at: float = 0
    verdict: Literal["pending", "approved", "denied", "spent"] = "pending"
    grant: Grant | None = None


@dataclass(kw_only=True, repr=False)
class DeviceAuthorization(Awaited):
    """A device that waits for a user who types its code."""

    user_code: str


@dataclass(kw_only=True, repr=False)
class BackchannelAuthentication(Awaited):
    """A client that waits for a user whom it named; `name` is what the approval page calls it."""

    name: str
    login: str
    binding_message: str
