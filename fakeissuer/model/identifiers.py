"""Identifiers as Okta makes them: a prefix that tells the kind, then characters that tell nothing."""

from __future__ import annotations

import hashlib
import secrets
import string

_ALPHANUMERIC = string.ascii_letters + string.digits


def random_text() -> str:
    """Return 43 base64url characters, 256 bits: a kid, the body of a jti, a refresh token."""
    return secrets.token_urlsafe(32)


def new_access_token_id(refresh_token_id: str | None = None) -> str:
    """Return the jti of an access token; it names the refresh token that was issued with it."""
    return f"AT.{random_text()}" + (f".{refresh_token_id}" if refresh_token_id else "")


def new_id_token_id() -> str:
    """Return the jti of an ID token."""
    return f"ID.{random_text()}"


def new_refresh_token_id() -> str:
    """Return the id of a refresh token; unlike the token itself it is no secret."""
    return "oar" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(17))


MAX_CHAIN_LENGTH = 8


def new_grant_id(parent_id: str | None = None) -> str:
    """Return the id of a grant; one that was exchanged for a token of another begins with the id of that.

    A longer chain of exchanges than anybody makes hangs on its first links, so that no id grows without end.
    """
    if parent_id is None:
        return random_text()
    return ".".join([*parent_id.split(".")[:MAX_CHAIN_LENGTH], random_text()])


def descends_from(grant_id: str | None, parent_id: str) -> bool:
    """Tell whether this is the id of that grant, or of one that came of it."""
    return grant_id is not None and f"{grant_id}.".startswith(f"{parent_id}.")


def new_user_code() -> str:
    """Return the eight letters that a user types to join a device to an account."""
    return "".join(secrets.choice(string.ascii_uppercase) for _ in range(8))


def new_error_id() -> str:
    """Return the errorId of an answer in Okta's own error shape: 25 characters."""
    return "oae" + secrets.token_urlsafe(16)


def new_request_id() -> str:
    """Return the 32 hexadecimal digits of an x-okta-request-id header."""
    return secrets.token_hex(16)


def derived_id(prefix: str, name: str) -> str:
    """Return the id that belongs to a name, the same each time: 20 characters, the prefix among them.

    A test that names a user twice means the same user, without having to register one first.
    """
    digest = hashlib.sha256(f"{prefix} {name}".encode()).digest()
    return prefix + "".join(_ALPHANUMERIC[byte % len(_ALPHANUMERIC)] for byte in digest[:17])
