"""The device authorization endpoint (RFC 8628 section 3.1)."""

from __future__ import annotations

import uuid

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.endpoint import ClientHandler
from fakeissuer.model.grant_types import DEVICE_CODE
from fakeissuer.model.identifiers import new_user_code
from fakeissuer.model.servers import Server
from fakeissuer.oauth.scopes import scopes_with_user
from fakeissuer.responses.reply import Reply, json_reply
from fakeissuer.state.pending import DEVICE_CODE_LIFETIME_S, POLL_INTERVAL_S, RETENTION_S, DeviceAuthorization


class DeviceHandler(ClientHandler):
    """Start the authorization of a device without a browser."""

    endpoint = "device"

    def respond(self, server: Server) -> Reply:
        """Return the device code for polling and the user code for the user to type."""
        form, state = self.form, self.state
        client = self.authenticated_client(server, form)
        if DEVICE_CODE not in client.grant_types:
            raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
        now = self.now
        device = DeviceAuthorization(
            server=server.id,
            issuer=self.issuer_of(server),
            client_id=client.id,
            user_code=new_user_code(),
            scopes=scopes_with_user(server, form.get("scope", "")),
            expires_at=now + DEVICE_CODE_LIFETIME_S,
        )
        device_code = str(uuid.uuid4())
        state.devices.put(device_code, device, expires_at=now + RETENTION_S)
        state.user_codes.put(device.user_code, device, expires_at=device.expires_at)
        activate = f"{self.urls_of(server).base_url}/activate"
        members = {
            "device_code": device_code,
            "user_code": device.user_code,
            "verification_uri": activate,
            "verification_uri_complete": f"{activate}?user_code={device.user_code}",
            "expires_in": DEVICE_CODE_LIFETIME_S,
            "interval": POLL_INTERVAL_S,
        }
        return json_reply(members)
