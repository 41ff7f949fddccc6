"""Identifiers in Okta's format: a prefix for the kind, then random characters."""

from __future__ import annotations

import hashlib
import secrets
import string

_ALPHANUMERIC = string.ascii_letters + string.digits


def random_text() -> str:
    """Return 43 base64url characters, 256 bits: a kid, the body of a jti, a refresh token."""
    return secrets.token_urlsafe(32)


def new_access_token_id(refresh_token_id: str | None = None) -> str:
    """Return the jti of an access token, which contains the ID of its refresh token."""
    return f"AT.{random_text()}" + (f".{refresh_token_id}" if refresh_token_id else "")


def new_id_token_id() -> str:
    """Return the jti of an ID token."""
    return f"ID.{random_text()}"


def new_refresh_token_id() -> str:
    """Return the ID of a refresh token, which unlike the token is not secret."""
    return "oar" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(17))


MAX_CHAIN_LENGTH = 8


def new_grant_id(parent_id: str | None = None) -> str:
    """Return the ID of a grant; after a token exchange it starts with the ID of the original grant.

    Long chains of exchanges keep only their first links, so that IDs do not grow without limit.
    """
    if parent_id is None:
        return random_text()
    return ".".join([*parent_id.split(".")[:MAX_CHAIN_LENGTH], random_text()])


def descends_from(grant_id: str | None, parent_id: str) -> bool:
    """Return whether a grant is the parent or was derived from it."""
    return grant_id is not None and f"{grant_id}.".startswith(f"{parent_id}.")


def new_user_code() -> str:
    """Return the eight letters that a user enters to authorize a device."""
    return "".join(secrets.choice(string.ascii_uppercase) for _ in range(8))


def new_error_id() -> str:
    """Return the errorId of a response in Okta's own error format: 25 characters."""
    return "oae" + secrets.token_urlsafe(16)


def new_request_id() -> str:
    """Return the 32 hexadecimal digits of an x-okta-request-id header."""
    return secrets.token_hex(16)


def derived_id(prefix: str, name: str) -> str:
    """Return an ID derived from a name, 20 characters with the prefix.

    The same name gives the same ID, so that tests can use unregistered users.
    """
    digest = hashlib.sha256(f"{prefix} {name}".encode()).digest()
    return prefix + "".join(_ALPHANUMERIC[byte % len(_ALPHANUMERIC)] for byte in digest[:17])
