"""A user's verdict on a device (RFC 8628 section 3.3)."""

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
class FoundDevice:
    """A device that waits, with the client that it is and the server that it asked."""

    authorization: DeviceAuthorization
    client: Client
    server: Server


def find(state: IssuerState, code_as_typed: str) -> FoundDevice | None:
    """Return the device that shows this code, None if none does; case, spaces and dashes are nothing."""
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
        else FoundDevice(authorization=authorization, client=client, server=server)
    )


def approve(state: IssuerState, session: Session, found: FoundDevice) -> None:
    """Let the device in, for the user of the session.

    Raises:
        OAuthError: the access policy does not allow it.
    """
    authorization = found.authorization
    authorization.grant = new_grant(
        found.server,
        authorization.issuer,
        found.client,
        DEVICE_CODE,
        authorization.scopes,
        state.registry.user(session.login or ""),
        now=state.clock.now(),
        authenticated_at=int(session.authenticated_at),
        amr=session.amr,
    )
    authorization.decision = "approved"
    state.user_codes.delete(authorization.user_code)


def deny(state: IssuerState, found: FoundDevice) -> None:
    """Keep the device out."""
    found.authorization.decision = "denied"
    state.user_codes.delete(found.authorization.user_code)
