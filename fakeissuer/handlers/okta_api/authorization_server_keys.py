"""``/api/v1/authorizationServers/{id}/credentials``: the status and the rotation of a server's keys."""

from __future__ import annotations

from typing import Literal

from fakeissuer.errors import InvalidRequestError, OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.handlers.okta_api.api_token import check_api_token
from fakeissuer.model.records import Record, read_members, to_record
from fakeissuer.responses.reply import Reply, json_reply
from fakeissuer.state.key_ring import KeyRing


class Rotation(Record, frozen=True, kw_only=True):
    """The body of a rotation request: only signing keys can be rotated."""

    use: Literal["sig"]


class _CredentialsHandler(OktaHandler):
    def keys_reply(self, server: str, *, rotates: bool) -> Reply:
        """Return the keys of a server, after a rotation if ``rotates``."""
        check_api_token(self.request)
        self._check_server(server)
        if rotates:
            self._rotate(server)
        return self._keys(server)

    def _check_server(self, server: str) -> None:
        if server not in self.state.registry.servers:
            raise OAuthError(ErrorCase.NO_SUCH_SERVER, server)

    def _rotate(self, server: str) -> None:
        try:
            to_record(read_members(self.request.body), Rotation)
        except InvalidRequestError as exc:
            raise OAuthError(ErrorCase.NOT_VALID, "the member use is sig, and there is no other") from exc
        self._ring(server).rotate(self.now)

    def _ring(self, server: str) -> KeyRing:
        return self.state.key_rings.for_server(self.state.registry.server(server))

    def _keys(self, server: str) -> Reply:
        ring = self._ring(server)
        status_of = {key.kid: key.status for key in ring.statuses()}
        keys_url = f"{self.state.urls.public_url}/api/v1/authorizationServers/{server}/credentials/keys"
        return json_reply(
            [
                {
                    "status": status_of[key["kid"]],
                    **key,
                    "_links": {"self": {"href": f"{keys_url}/{key['kid']}", "hints": {"allow": ["GET"]}}},
                }
                for key in ring.key_set()["keys"]
                if key["kid"] in status_of
            ]
        )


class ServerKeysHandler(_CredentialsHandler):
    """List the keys of a server."""

    async def get(self, server: str) -> None:
        """Return each published key with its status."""
        self.send_result(lambda: self.keys_reply(server, rotates=False))


class KeyRotateHandler(_CredentialsHandler):
    """Rotate the keys of a server at once, in every rotation mode."""

    async def post(self, server: str) -> None:
        """Make the NEXT key ACTIVE and the ACTIVE key EXPIRED."""
        self.send_result(lambda: self.keys_reply(server, rotates=True))
