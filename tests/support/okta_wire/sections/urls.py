"""Where the endpoints are, how they refuse what is not there, and what browsers may call."""

from __future__ import annotations

from okta_wire.row import Row, Section, oauth_error, okta_error
from okta_wire.sections.discovery import OAUTH, OAUTH_MEMBERS, OIDC, OIDC_MEMBERS
from okta_wire.world import SERVICE, Request, World, at

HOST = {"Host": "vanity.test"}
ORIGIN = {"Origin": "https://spa.test", "Access-Control-Request-Method": "POST"}


def _called_elsewhere(mode: str) -> Row:
    def ask(world: World) -> Request:
        world.issuer.put("servers", "default", audience="api://default", issuer_mode=mode)
        return Request(path=f"/oauth2/default{OIDC}", headers=HOST)

    issuer = "http://vanity.test/oauth2/default" if mode == "DYNAMIC" else "{org}/oauth2/default"
    return Row(
        f"discovery at another host name, issuer mode {mode}", ask, 200, "", OIDC_MEMBERS, {}, {"issuer": issuer}
    )


def _cross_origin(endpoint: str, method: str) -> Row:
    request = Request(path=at(endpoint), method=method, headers=ORIGIN)
    status = 200 if endpoint == "keys" else 400 if method == "POST" else 401
    code = "" if status == 200 else "E0000021" if status == 400 else "invalid_token"
    members = "keys" if status == 200 else "errorCode errorSummary errorLink errorId errorCauses"
    allowed = {"Access-Control-Allow-Origin": "https://spa.test", "Vary": "Origin"}
    return Row(
        f"{endpoint} called from another origin", request, status, code, "" if status == 401 else members, allowed
    )


def _preflight(endpoint: str) -> Row:
    headers = {
        "Access-Control-Allow-Origin": "https://spa.test",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Max-Age": "3600",
        "Vary": "Origin",
    }
    request = Request(path=at(endpoint), method="OPTIONS", headers=ORIGIN)
    return Row(f"a preflight to {endpoint}", request, 204, headers=headers)


ISSUER = {"issuer": "{org}/oauth2/default"}
JSON_BODY = {"Content-Type": "application/json"}

SECTION = Section(
    "URLs",
    (
        Row(
            "OIDC document of a custom server",
            Request(path=f"/oauth2/default{OIDC}"),
            200,
            "",
            OIDC_MEMBERS,
            {},
            ISSUER,
        ),
        Row("OIDC document of the org", Request(path=OIDC), 200, "", OIDC_MEMBERS, {}, {"issuer": "{org}"}),
        Row(
            "OAuth document below the issuer",
            Request(path=f"/oauth2/default{OAUTH}"),
            200,
            "",
            OAUTH_MEMBERS,
            {},
            ISSUER,
        ),
        Row(
            "OAuth document where RFC 8414 has it",
            Request(path=f"{OAUTH}/oauth2/default"),
            200,
            "",
            OAUTH_MEMBERS,
            {},
            ISSUER,
        ),
        Row("OAuth document of the org", Request(path=OAUTH), 200, "", OAUTH_MEMBERS, {}, {"issuer": "{org}"}),
        *(_called_elsewhere(mode) for mode in ("CUSTOM_URL", "ORG_URL", "DYNAMIC")),
        Row(
            "discovery for a client that there is",
            Request(path=f"/oauth2/default{OIDC}", query={"client_id": SERVICE.partition(":")[0]}),
            200,
            "",
            OIDC_MEMBERS,
        ),
        okta_error(
            "discovery for an unknown client",
            Request(path=f"/oauth2/default{OIDC}", query={"client_id": "unknown"}),
            400,
            "invalid_client",
        ),
        okta_error("an unknown server", Request(path=f"/oauth2/unknown{OIDC}"), 404, "E0000007"),
        okta_error("an unknown path", Request(path=at("unknown")), 404, "E0000008"),
        okta_error("registration at a custom server", Request(path=at("clients"), method="POST"), 404, "E0000008"),
        okta_error("a method that the endpoint lacks", Request(path=at("token")), 405, "E0000022"),
        okta_error(
            "a body that is no form",
            Request(path=at("token"), method="POST", body=b"{}", headers=JSON_BODY),
            400,
            "E0000021",
        ),
        okta_error(
            "a body without a type", Request(path=at("token"), method="POST", body=b"grant_type=x"), 400, "E0000021"
        ),
        oauth_error(
            "a form with a charset",
            Request(
                path=at("token"),
                method="POST",
                body=b"grant_type=password",
                headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
            ),
            401,
            "invalid_client",
        ),
        _preflight("token"),
        _preflight("par"),
        _cross_origin("keys", "GET"),
        *(_cross_origin(endpoint, "POST") for endpoint in ("introspect", "revoke", "token", "device/authorize")),
        _cross_origin("userinfo", "GET"),
    ),
)
