"""Okta's own error format and its rate limits, each as a planned fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from okta_wire.row import OAUTH_ERROR, OKTA_ERROR, Row, Section
from okta_wire.world import NOW, SERVICE, Request, World, at, authorize_request, token_request

OWN = token_request("client_credentials", SERVICE)


def _on_demand(request: Request, **fault: Any) -> Callable[[World], Request]:
    def ask(world: World) -> Request:
        world.issuer.fail(**fault)
        return request

    return ask


def _limited(endpoint: str, request: Request) -> Callable[[World], Request]:
    return _on_demand(request, endpoint=endpoint, refuse="user_rate")


def _status(status: int, code: str) -> Row:
    return Row(
        f"planned {status}",
        _on_demand(OWN, endpoint="token", status=status),
        status,
        code,
        OKTA_ERROR,
        {"Content-Type": "application/json"},
        {"errorLink": code, "errorId": "{error id}", "errorCauses": []},
    )


LIMIT = {
    "X-Rate-Limit-Limit": "600",
    "X-Rate-Limit-Remaining": "0",
    "X-Rate-Limit-Reset": str(NOW + 60),
    "Retry-After": None,
}
NONE_AT_ONCE = {"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Remaining": "0"}

SECTION = Section(
    "Errors in Okta's format",
    (
        Row(
            "an error",
            Request(path=at("unknown")),
            404,
            "E0000008",
            OKTA_ERROR,
            {"Content-Type": "application/json"},
            {"errorCode": "E0000008", "errorLink": "E0000008", "errorId": "{error id}", "errorCauses": []},
        ),
        *(
            _status(status, code)
            for status, code in {
                400: "E0000003",
                403: "E0000006",
                404: "E0000008",
                405: "E0000022",
                500: "E0000009",
                503: "E0000010",
            }.items()
        ),
        *(
            Row(
                f"planned: {name}",
                _on_demand(OWN, endpoint="token", refuse=name),
                status,
                code,
                OKTA_ERROR,
                {},
                {"errorLink": code, "errorCauses": causes},
            )
            for name, status, code, causes in (
                ("not_valid", 400, "E0000001", [{"errorSummary": "on demand"}]),
                ("login_failed", 401, "E0000004", []),
                ("api_token_invalid", 401, "E0000011", []),
                ("feature_off", 401, "E0000015", []),
            )
        ),
        Row("a rate limit", _on_demand(OWN, endpoint="token", status=429), 429, "E0000047", OKTA_ERROR, LIMIT),
        *(
            Row(f"a rate limit of {endpoint}", _limited(endpoint, request), 429, "invalid_grant", members, LIMIT)
            for endpoint, request, members in (
                ("userinfo", Request(path=at("userinfo")), OAUTH_ERROR),
                ("authorize", authorize_request(), ""),
            )
        ),
        Row(
            "a planned error, from another origin",
            _on_demand(replace(OWN, headers={"Origin": "https://spa.test"}), endpoint="token", status=503),
            503,
            "E0000010",
            OKTA_ERROR,
            {"x-okta-request-id": "{32 hex digits}", "Access-Control-Allow-Origin": "https://spa.test"},
        ),
        Row(
            "a concurrency limit",
            _on_demand(OWN, endpoint="token", status=429, headers=NONE_AT_ONCE),
            429,
            "E0000047",
            OKTA_ERROR,
            NONE_AT_ONCE,
        ),
    ),
)
