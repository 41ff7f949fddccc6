"""The clients that every fake issuer starts with, as they authenticate: ``id:secret``, for Basic."""

from __future__ import annotations

from fakeissuer.state.seed import API_APP, SERVICE_APP, WEB_APP

SERVICE = f"{SERVICE_APP}:service-secret"
WEB = f"{WEB_APP}:web-secret"
API = f"{API_APP}:api-secret"
