"""A user's verdict on a device (RFC 8628 section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import DEVICE_CODE
from fakeissuer.model.servers import Server
from fakeissuer.oauth.issue import new_grant
from fakeissuer.state.pending import DeviceAuthorization
from fakeissuer.state.sessions import Session
from fakeissuer.state.state import State


@dataclass(frozen=True, kw_only=True)
class Found:
    """A device that waits, with the client that it is and the server that it asked."""

    waiting: DeviceAuthorization
    client: Client
    server: Server


def find(state: State, typed: str) -> Found | None:
    """Return the device that shows this code, None if none does; case, spaces and dashes are nothing."""
    code = "".join(character for character in typed.upper() if character.isalnum())
    waiting = state.user_codes.find(code, state.clock.now())
    if waiting is None or waiting.verdict != "pending":
        return None
    client, server = state.directory.clients.get(waiting.client_id), state.directory.servers.get(waiting.server)
    return None if client is None or server is None else Found(waiting=waiting, client=client, server=server)


def approve(state: State, session: Session, found: Found) -> None:
    """Let the device in, for the user of the session.

    Raises:
        Refused: the access policy does not allow it.
    """
    waiting = found.waiting
    waiting.grant = new_grant(
        state,
        found.server,
        waiting.issuer,
        found.client,
        DEVICE_CODE,
        waiting.scopes,
        state.directory.user(session.login or ""),
        authenticated_at=int(session.authenticated_at),
        amr=session.amr,
    )
    waiting.verdict = "approved"
    state.user_codes.drop(waiting.user_code)


def refuse(state: State, found: Found) -> None:
    """Keep the device out."""
    found.waiting.verdict = "denied"
    state.user_codes.drop(found.waiting.user_code)
