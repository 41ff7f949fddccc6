"""The base class of the handlers that require the admin token."""

from __future__ import annotations

import hmac

from service.operations.admin.handler import AdminHandler


class OperatorHandler(AdminHandler):
    """Requires the setting ``admin_token`` of the Tornado application; if it is None, every request is rejected."""

    def prepare(self) -> None:
        """Reject a request without the token."""
        token = self.settings["admin_token"]
        if token is None:
            self.send_json_error(
                403,
                "access_denied",
                "No admin_token is set, so the deny list and key sets cannot be changed; set SERVICE_ADMIN_TOKEN",
            )
        elif not self._has_admin_token(token):
            self.set_header("WWW-Authenticate", 'Bearer realm="admin"')
            self.send_json_error(401, "invalid_token", "Send the admin token, as: Authorization: Bearer TOKEN")

    def _has_admin_token(self, token: str) -> bool:
        # Compared in constant time, which does not reveal how many characters are right.
        fields = self.request.headers.get_list("Authorization")
        presented = fields[0] if len(fields) == 1 else ""
        return hmac.compare_digest(presented.encode("utf-8", "replace"), f"Bearer {token}".encode())
