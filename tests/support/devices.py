"""A device without a browser, which polls for tokens until its user approves (RFC 8628 section 3)."""

from __future__ import annotations

from typing import Any

from plain_http import Response, send

from fakeissuer.model.grant_types import DEVICE_CODE
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.seed import DEVICE_APP


def start_device(issuer: RunningIssuer) -> dict[str, Any]:
    """Start a device authorization and return its response."""
    form = {"client_id": DEVICE_APP, "scope": "openid api:read"}
    answer = send(f"{issuer.issuer_url()}/v1/device/authorize", "POST", form=form)
    assert answer.status == 200, answer.body
    got: dict[str, Any] = answer.json()
    return got


def poll_for(issuer: RunningIssuer, device: dict[str, Any], *, server: str = "default", **more: str) -> Response:
    """Poll the token endpoint once."""
    form = {"client_id": DEVICE_APP, "grant_type": DEVICE_CODE, "device_code": device["device_code"], **more}
    return send(f"{issuer.issuer_url(server)}/v1/token", "POST", form=form)
