"""Pending device authorizations and their approval (RFC 8628 section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import DEVICE_CODE
from fakeissuer.model.servers import Server
from fakeissuer.oauth.issue import new_grant
from fakeissuer.state.pending import DeviceAuthorization
from fakeissuer.state.sessions import Session
from fakeissuer.state.state import IssuerState


@dataclass(frozen=True, kw_only=True)
class PendingDevice:
    """A pending device authorization with its client and server."""

    authorization: DeviceAuthorization
    client: Client
    server: Server


def find_pending(state: IssuerState, code_as_typed: str) -> PendingDevice | None:
    """Return the pending device with this user code, or None; case, spaces and dashes are ignored."""
    code = "".join(character for character in code_as_typed.upper() if character.isalnum())
    authorization = state.user_codes.get(code, state.clock.now())
    if authorization is None or authorization.decision != "pending":
        return None
    client, server = (
        state.registry.clients.get(authorization.client_id),
        state.registry.servers.get(authorization.server),
    )
    return (
        None
        if client is None or server is None
        else PendingDevice(authorization=authorization, client=client, server=server)
    )


def approve(state: IssuerState, session: Session, pending: PendingDevice) -> None:
    """Approve a device for the user of the session.

    Raises:
        OAuthError: The access policy does not allow it.
    """
    authorization = pending.authorization
    authorization.grant = new_grant(
        pending.server,
        authorization.issuer,
        pending.client,
        DEVICE_CODE,
        authorization.scopes,
        state.registry.user(session.login or ""),
        now=state.clock.now(),
        authenticated_at=int(session.authenticated_at),
        amr=session.amr,
    )
    authorization.decision = "approved"
    state.user_codes.delete(authorization.user_code)


def deny(state: IssuerState, pending: PendingDevice) -> None:
    """Deny a device."""
    pending.authorization.decision = "denied"
    state.user_codes.delete(pending.authorization.user_code)
