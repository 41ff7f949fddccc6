"""What Okta has at its org beside OAuth: registered clients, and the keys of a server with their status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from scripted_browser import CALLBACK

from okta_wire.row import OKTA_ERROR, Row, Section, oauth_error, okta_error
from okta_wire.sections.keys import young
from okta_wire.sections.token_success import NO_STORE_HEADERS, OWN
from okta_wire.views import first_of, listed
from okta_wire.world import Request, World, token_request

Prepare = Callable[[World], Request]

SSWS = {"Authorization": "SSWS an-api-token"}
JSON = {"Content-Type": "application/json"}
CLIENTS = "/oauth2/v1/clients"
KEYS = "/api/v1/authorizationServers/default/credentials/keys"
ROTATE = "/api/v1/authorizationServers/default/credentials/lifecycle/keyRotate"
METADATA = {"client_name": "mine", "redirect_uris": [CALLBACK], "grant_types": ["client_credentials"]}

TOLD = (
    "client_id client_id_issued_at client_name redirect_uris post_logout_redirect_uris response_types grant_types"
    " token_endpoint_auth_method"
)
TOLD_ONCE = TOLD.replace("client_name", "client_secret client_secret_expires_at client_name")
PUBLIC_KEY = "status kty alg kid use e n _links"


def _call(method: str, path: str, members: Any = None, headers: dict[str, str] | None = None) -> Request:
    body = None if members is None else json.dumps(members).encode()
    return Request(method=method, path=path, body=body, headers={**JSON, **(SSWS if headers is None else headers)})


def _of_mine(method: str, below: str = "", members: Any = None, headers: dict[str, str] | None = None) -> Prepare:
    def ask(world: World) -> Request:
        # Known by a name that does not change from run to run.
        world.issuer.put("clients", "mine", name="mine", secret="s", grant_types=["client_credentials"])
        return _call(method, f"{CLIENTS}/mine{below}", members, headers)

    return ask


def _removed(world: World) -> Request:
    world.send(_of_mine("DELETE")(world))
    return _call("GET", f"{CLIENTS}/mine")


def _with_new_secret(world: World) -> Request:
    secret = world.answer_to(_of_mine("POST", "/lifecycle/newSecret")(world))["client_secret"]
    return token_request("client_credentials", f"mine:{secret}")


def _with_old_secret(world: World) -> Request:
    world.send(_of_mine("POST", "/lifecycle/newSecret")(world))
    return token_request("client_credentials", "mine:s")


def _public(world: World) -> Request:
    world.issuer.put("clients", "mine", name="mine", auth_methods=["none"])
    return _call("POST", f"{CLIENTS}/mine/lifecycle/newSecret")


SECTION = Section(
    "Registered clients and keys of a server",
    (
        Row(
            "registering",
            _call("POST", CLIENTS, METADATA),
            201,
            "",
            TOLD_ONCE,
            NO_STORE_HEADERS,
            {"client_name": "mine"},
        ),
        okta_error("registering without an API token", _call("POST", CLIENTS, METADATA, {}), 401, "E0000011"),
        oauth_error("registering an invalid document", _call("POST", CLIENTS, []), 400, "invalid_client_metadata"),
        oauth_error(
            "registering a redirect_uri for any port",
            _call("POST", CLIENTS, {**METADATA, "redirect_uris": ["http://127.0.0.1:*"]}),
            400,
            "invalid_redirect_uri",
        ),
        Row("reading", _of_mine("GET"), 200, "", TOLD, NO_STORE_HEADERS, {"client_id": "mine", "client_secret": None}),
        Row(
            "replacing",
            _of_mine("PUT", "", {**METADATA, "client_name": "new"}),
            200,
            "",
            TOLD,
            {},
            {"client_id": "mine", "client_name": "new"},
        ),
        Row("removing", _of_mine("DELETE"), 204),
        okta_error("reading a removed client", _removed, 404, "E0000007"),
        okta_error("reading without an API token", _of_mine("GET", headers={}), 401, "E0000011"),
        okta_error("another method", _of_mine("POST"), 405, "E0000022"),
        Row(
            "a new secret",
            _of_mine("POST", "/lifecycle/newSecret"),
            200,
            "",
            TOLD_ONCE,
            {},
            {"client_secret": "{43 characters}"},
        ),
        Row("the new secret", _with_new_secret, 200, "", OWN),
        oauth_error("the secret before it", _with_old_secret, 401, "invalid_client"),
        Row(
            "a new secret of a public client",
            _public,
            400,
            "E0000001",
            OKTA_ERROR,
            {},
            {"errorCauses": [{"errorSummary": "the client has no secret"}]},
        ),
        Row(
            "a key of a server",
            _call("GET", KEYS),
            200,
            "",
            PUBLIC_KEY,
            {"Content-Type": "application/json"},
            {"status": "ACTIVE"},
            first_of(""),
        ),
        Row(
            "all keys before the first rotation",
            young(_call("GET", KEYS)),
            200,
            "",
            "first second",
            {},
            {"first": "ACTIVE", "second": "NEXT"},
            listed("", "status"),
        ),
        Row(
            "all keys after a rotation",
            _call("POST", ROTATE, {"use": "sig"}),
            200,
            "",
            "first second third",
            {},
            {"first": "ACTIVE", "second": "NEXT", "third": "EXPIRED"},
            listed("", "status"),
        ),
        Row(
            "a key after a rotation",
            _call("POST", ROTATE, {"use": "sig"}),
            200,
            "",
            PUBLIC_KEY,
            {},
            {"status": "ACTIVE"},
            first_of(""),
        ),
        Row(
            "a rotation with another use",
            _call("POST", ROTATE, {"use": "enc"}),
            400,
            "E0000001",
            OKTA_ERROR,
            {},
            {"errorCauses": [{"errorSummary": "the member use is sig, and there is no other"}]},
        ),
        okta_error("keys without an API token", _call("GET", KEYS, None, {}), 401, "E0000011"),
        okta_error("keys of an unknown server", _call("GET", KEYS.replace("default", "unknown")), 404, "E0000007"),
    ),
)
