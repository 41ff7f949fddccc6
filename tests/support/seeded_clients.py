"""The clients that every fake issuer starts with, as they authenticate: ``id:secret``, for Basic."""

from __future__ import annotations

from fakeissuer.state.seed import API_APP, SERVICE_APP, WEB_APP

SERVICE = f"{SERVICE_APP}:service-secret-for-tests-only-0000001"
WEB = f"{WEB_APP}:web-secret-for-tests-only-00000000001"
API = f"{API_APP}:api-secret-for-tests-only-00000000001"
