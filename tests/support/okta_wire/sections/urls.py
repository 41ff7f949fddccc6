"""Where the endpoints are, how they refuse what is not there, and what browsers may call."""

from __future__ import annotations

from okta_wire.row import OKTA_ERROR, Row, Section, oauth_error, okta_error
from okta_wire.sections.discovery import OAUTH, OAUTH_MEMBERS, OIDC, OIDC_MEMBERS
from okta_wire.sections.token_success import EVERYWHERE
from okta_wire.world import SERVICE, Request, World, at

VANITY_URL = "https://vanity.test"
HOST = {"Host": "other.test"}
ALLOWED = {"Access-Control-Allow-Origin": "https://spa.test", "Vary": "Origin"}
ORIGIN = {"Origin": "https://spa.test", "Access-Control-Request-Method": "POST"}


def _called_elsewhere(mode: str) -> Row:
    def ask(world: World) -> Request:
        world.issuer.put("servers", "default", audience="api://default", issuer_mode=mode)
        return Request(path=f"/oauth2/default{OIDC}", headers=HOST)

    base = {"CUSTOM_URL": VANITY_URL, "ORG_URL": "{org}", "DYNAMIC": "http://other.test"}[mode]
    told = {"issuer": f"{base}/oauth2/default", "token_endpoint": f"{base}/oauth2/default/v1/token"}
    case = f"discovery of {VANITY_URL} at another host name, issuer mode {mode}"
    return Row(case, ask, 200, "", OIDC_MEMBERS, {}, told, public_url=VANITY_URL)


def _cross_origin(endpoint: str, method: str) -> Row:
    request = Request(path=at(endpoint), method=method, headers=ORIGIN)
    status = 200 if endpoint == "keys" else 400 if method == "POST" else 401
    code = "" if status == 200 else "E0000021" if status == 400 else "invalid_token"
    members = "keys" if status == 200 else "errorCode errorSummary errorLink errorId errorCauses"
    case = f"{endpoint} called from another origin"
    return Row(case, request, status, code, "" if status == 401 else members, ALLOWED)


def _preflight(name: str, path: str, methods: str = "POST") -> Row:
    headers = {**ALLOWED, "Access-Control-Allow-Methods": methods, "Access-Control-Max-Age": "3600"}
    return Row(f"a preflight to {name}", Request(path=path, method="OPTIONS", headers=ORIGIN), 204, headers=headers)


ISSUER = {"issuer": "{org}/oauth2/default"}
JSON_BODY = {"Content-Type": "application/json"}

SECTION = Section(
    "URLs",
    (
        Row(
            "OpenID configuration of a custom server",
            Request(path=f"/oauth2/default{OIDC}"),
            200,
            "",
            OIDC_MEMBERS,
            {},
            ISSUER,
        ),
        Row(
            "OpenID configuration of the org server", Request(path=OIDC), 200, "", OIDC_MEMBERS, {}, {"issuer": "{org}"}
        ),
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
            "OAuth document at the path of RFC 8414",
            Request(path=f"{OAUTH}/oauth2/default"),
            200,
            "",
            OAUTH_MEMBERS,
            {},
            ISSUER,
        ),
        Row("OAuth document of the org server", Request(path=OAUTH), 200, "", OAUTH_MEMBERS, {}, {"issuer": "{org}"}),
        *(_called_elsewhere(mode) for mode in ("CUSTOM_URL", "ORG_URL", "DYNAMIC")),
        Row(
            "discovery for a registered client",
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
        Row(
            "an unknown path, headers",
            Request(path=at("unknown"), headers=ORIGIN),
            404,
            "E0000008",
            OKTA_ERROR,
            {"x-okta-request-id": "{32 hex digits}", "x-content-type-options": "nosniff", **ALLOWED},
        ),
        okta_error("registration at a custom server", Request(path=at("clients"), method="POST"), 404, "E0000008"),
        okta_error("a method that the endpoint does not support", Request(path=at("token")), 405, "E0000022"),
        Row(
            "a method that the endpoint does not support, headers",
            Request(path=at("token")),
            405,
            "E0000022",
            OKTA_ERROR,
            {**EVERYWHERE, "Allow": None},
        ),
        okta_error(
            "a body that is not a form",
            Request(path=at("token"), method="POST", body=b"{}", headers=JSON_BODY),
            400,
            "E0000021",
        ),
        okta_error(
            "a body without a media type",
            Request(path=at("token"), method="POST", body=b"grant_type=x"),
            400,
            "E0000021",
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
        *(
            _preflight(endpoint, at(endpoint))
            for endpoint in ("token", "par", "introspect", "revoke", "device/authorize")
        ),
        _preflight("userinfo", at("userinfo"), "GET, POST"),
        _preflight("keys", at("keys"), "GET"),
        _preflight("discovery", f"/oauth2/default{OIDC}", "GET"),
        Row(
            "discovery called from another origin",
            Request(path=f"/oauth2/default{OIDC}", headers=ORIGIN),
            200,
            "",
            OIDC_MEMBERS,
            ALLOWED,
        ),
        _cross_origin("keys", "GET"),
        *(_cross_origin(endpoint, "POST") for endpoint in ("introspect", "revoke", "token", "device/authorize")),
        _cross_origin("userinfo", "GET"),
    ),
)
