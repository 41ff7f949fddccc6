"""What users type, set, call and get back: the names that other people's scripts hold on to."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import tornado.web
import trustme
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app
from service.__main__ import main
from service.clock import ManualClock

TOKEN = "operators-only-0123456789-abcdefghij"
OKTA = "https://dev-123456.okta.com/oauth2/default"
ORG = "https://dev-123456.okta.com"
APP = "https://app.example"

Config = Callable[..., dict[str, str]]
Call = Callable[..., Any]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Config:
    """Return what runs ``python -m service config``, and gives each line that is not a default by its name."""
    for name in os.environ:
        if name.startswith(("OKTA_", "SERVICE_", "ORG_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def effective(*arguments: str, **variables: str) -> dict[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        status = main([*arguments, "config"])
        printed = capsys.readouterr()
        assert (0, "") == (status, printed.err)
        lines = dict(line.split(" = ", 1) for line in printed.out.splitlines())
        return {name: text for name, text in lines.items() if not text.endswith("# default")}

    return effective


def test_every_setting_has_its_documented_default(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    config(OKTA_ISSUER=OKTA)
    assert 0 == main(["config"])
    shown = capsys.readouterr().out
    for line in (
        f"issuer = '{OKTA}'  # environment",
        "authorization_server_id = 'default'  # default",
        "audience = ('api://default',)  # default",
        "client_id = None  # default",
        "client_secret = None  # default",
        "private_key_file = None  # default",
        "allowed_client_ids = ()  # default",
        "validation = 'auto'  # default",
        "algorithms = ('RS256',)  # default",
        "leeway = 120.0  # default",
        "public_url = None  # default",
        "cors_origins = ()  # default",
        "cache_url = (hidden)  # default",
        "address = '127.0.0.1'  # default",
        "port = 8080  # default",
        "forward_auth = False  # default",
        "processes = 1  # default",
        "admin_port = None  # default",
        "http_proxy = None  # default",
        "ca_file = None  # default",
    ):
        assert line in shown.splitlines()


CREDENTIALS = {"OKTA_CLIENT_ID": "0oa1", "OKTA_CLIENT_SECRET": "secret"}


@pytest.mark.parametrize(
    ("variables", "name", "shown"),
    [
        ({"OKTA_OAUTH2_ISSUER": OKTA, "OKTA_ISSUER": "https://x.okta.com/oauth2/x"}, "issuer", repr(OKTA)),
        ({"OKTA_ISSUER": OKTA, "OKTA_ORG_URL": "https://x.okta.com"}, "issuer", repr(OKTA)),
        ({"OKTA_ORG_URL": ORG}, "issuer", repr(OKTA)),
        ({"ORG_URL": ORG}, "issuer", repr(OKTA)),
        ({"OKTA_DOMAIN": "dev-123456.okta.com"}, "issuer", repr(OKTA)),
        ({"ORG_URL": ORG, "OKTA_AUTHORIZATION_SERVER_ID": "aus1"}, "issuer", repr(f"{ORG}/oauth2/aus1")),
        (
            {"ORG_URL": ORG, "OKTA_AUTHORIZATION_SERVER_ID": "org", "OKTA_API_AUDIENCE": ORG, **CREDENTIALS},
            "issuer",
            repr(ORG),
        ),
        ({"OKTA_OAUTH2_AUDIENCE": "api://a , api://b", "OKTA_API_AUDIENCE": "x"}, "audience", "('api://a', 'api://b')"),
        ({"OKTA_API_AUDIENCE": "api://a"}, "audience", "('api://a',)"),
        ({"OKTA_OAUTH2_CLIENT_ID": "0oa1", "OKTA_CLIENT_SECRET": "s"}, "client_id", "'0oa1'"),
        (CREDENTIALS, "client_id", "'0oa1'"),
        ({"OKTA_CLIENT_ID": "0oa1", "OKTA_OAUTH2_CLIENT_SECRET": "s3cr3t"}, "client_secret", "(hidden)"),
        (CREDENTIALS, "client_secret", "(hidden)"),
        ({"SERVICE_ALLOWED_CLIENT_IDS": "a , b"}, "allowed_client_ids", "('a', 'b')"),
        ({"SERVICE_VALIDATION": "auto"}, "validation", "'auto'"),
        ({"SERVICE_VALIDATION": "jwt"}, "validation", "'jwt'"),
        ({"SERVICE_VALIDATION": "introspection", **CREDENTIALS}, "validation", "'introspection'"),
        ({"SERVICE_VALIDATION": "hybrid", **CREDENTIALS}, "validation", "'hybrid'"),
        ({"SERVICE_ALGORITHMS": "RS256, ES256"}, "algorithms", "('RS256', 'ES256')"),
        ({"SERVICE_LEEWAY": "30"}, "leeway", "30.0"),
        ({"SERVICE_PUBLIC_URL": "https://api.example/v1"}, "public_url", "'https://api.example/v1'"),
        (
            {"SERVICE_CORS_ORIGINS": f"{APP},http://localhost:3000"},
            "cors_origins",
            f"('{APP}', 'http://localhost:3000')",
        ),
        ({"SERVICE_CACHE_URL": "redis://:hush@cache.example:6379/0"}, "cache_url", "(hidden)"),
        ({"SERVICE_CACHE_URL": "rediss://cache.example"}, "cache_url", "(hidden)"),
        ({"SERVICE_CACHE_URL": "memcached://cache.example"}, "cache_url", "(hidden)"),
        ({"SERVICE_PROCESSES": "0"}, "processes", "0"),
        ({"SERVICE_FORWARD_AUTH": "true"}, "forward_auth", "True"),
        ({"SERVICE_ADDRESS": "::1"}, "address", "'::1'"),
        ({"SERVICE_PORT": "9000"}, "port", "9000"),
        (
            {"SERVICE_ADMIN_PORT": "9001", "SERVICE_ADMIN_TOKEN": TOKEN},
            "admin_port",
            "9001",
        ),
        ({"SERVICE_HTTP_PROXY": "http://proxy.example:3128"}, "http_proxy", "(hidden)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_each_environment_variable_sets_its_setting(
    variables: dict[str, str], name: str, shown: str, config: Config
) -> None:
    found = config(**{"OKTA_ISSUER": OKTA} | variables if "issuer" != name else variables)
    assert shown == found[name].partition("  # ")[0]


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OKTA_OAUTH2_CLIENT_SECRET_FILE", "client_secret"),
        ("OKTA_CLIENT_SECRET_FILE", "client_secret"),
        ("OKTA_OAUTH2_PRIVATE_KEY_FILE", "private_key_file"),
    ],
)
def test_a_secret_may_be_read_from_a_file(variable: str, name: str, config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("s3cr3t\n")
    found = config(OKTA_ISSUER=OKTA, OKTA_CLIENT_ID="0oa1", **{variable: str(tmp_path / "file")})
    assert name in found
    assert "s3cr3t" not in found[name]


def test_the_ca_file_is_set_by_its_variable(config: Config, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert "'ca.pem'  # environment" == config(OKTA_ISSUER=OKTA, SERVICE_CA_FILE="ca.pem")["ca_file"]


@pytest.mark.parametrize(
    ("arguments", "name", "shown"),
    [
        (["--config", "service.toml"], "realm", "'toml'"),
        (["--env-file", "other.env"], "leeway", "7.0"),
        (["--address", "::1"], "address", "'::1'"),
        (["--port", "0"], "port", "0"),
        (["--admin-port", "0"], "admin_port", "0"),
        (["--processes", "4", "--admin-port", "0"], "processes", "4"),
        (["--routes", "a:ROUTES", "--routes", "b:ROUTES"], "routes", "('a:ROUTES', 'b:ROUTES')"),
        (["--log-format", "json"], "log_format", "'json'"),
        (["--log-level", "debug"], "log_level", "'debug'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_option_sets_its_setting(
    arguments: list[str], name: str, shown: str, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "service.toml").write_text('realm = "toml"\n')
    (tmp_path / "other.env").write_text("SERVICE_LEEWAY=7\n")
    found = config(
        *arguments,
        OKTA_ISSUER=OKTA,
        SERVICE_ADMIN_TOKEN=TOKEN,
        SERVICE_CACHE_URL="redis://cache",
    )
    assert shown == found[name].partition("  # ")[0]


def test_the_precedence_is_command_line_environment_okta_env_toml(config: Config, tmp_path: Path) -> None:
    (tmp_path / "service.toml").write_text(
        f'issuer = "{OKTA}"\nrealm = "toml"\nleeway = 1\nport = 1\naddress = "::1"\n'
    )
    (tmp_path / ".okta.env").write_text("SERVICE_LEEWAY=2\nSERVICE_PORT=2\nSERVICE_ADDRESS=::2\n")
    found = config("--config", "service.toml", "--address", "::4", SERVICE_PORT="3", SERVICE_ADDRESS="::3")
    assert {
        "issuer": f"'{OKTA}'  # service.toml",
        "realm": "'toml'  # service.toml",
        "leeway": "2.0  # .okta.env",
        "port": "3  # environment",
        "address": "'::4'  # command line",
    } == found


def test_an_unknown_toml_key_stops_the_start_and_names_the_nearest_one(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config(OKTA_ISSUER=OKTA)
    (tmp_path / "service.toml").write_text('audiences = "api://default"\n')
    assert 2 == main(["--config", "service.toml", "config"])
    assert "audience" in capsys.readouterr().err


class Things(BearerAuthMixin, tornado.web.RequestHandler):
    scopes: ClassVar = {"GET": "api:read", "POST": "api:write"}

    def get(self) -> None:
        self.write({"hello": self.principal.subject})

    def post(self) -> None:
        raise RuntimeError("a mistake of the handler")


class Hello(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        self.write({"message": "Hello world!"})


class Whoami(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(dict(self.principal.claims))


class Socket(BearerAuthMixin, WebSocketHandler):
    scopes = "api:read"

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    async def on_message(self, message: str | bytes) -> None:
        await self.reauthenticate(str(message))


ROUTES = [(r"/api/hello", Hello), (r"/api/whoami", Whoami), (r"/things", Things), (r"/socket", Socket)]


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    settings = Settings(issuer=fake_issuer.issuer_url(), cors_origins=(APP,), public_url="https://api.example")
    service = make_app(settings, routes=ROUTES, clock=manual_clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Call:
    async def send(path: str, *fields: str, method: str = "GET", body: str | None = None) -> HTTPResponse:
        headers = HTTPHeaders()
        for field in ("Origin: " + APP, *fields):
            headers.parse_line(field)
        return await http_client.fetch(
            base_url + path,
            method=method,
            body=body,
            headers=headers,
            raise_error=False,
            allow_nonstandard_methods=True,
        )

    return send


REFUSALS: dict[str, tuple[str, list[str], int, str, str | None]] = {
    "no token": ("/api/whoami", [], 401, "missing_token", None),
    "another scheme": ("/api/whoami", ["Authorization: Basic YTpi"], 401, "missing_token", None),
    "a token in the query": ("/api/whoami?access_token={good}", [], 401, "missing_token", None),
    "a bad token": ("/api/whoami", ["Authorization: Bearer {bad}"], 401, "invalid_token", "invalid_token"),
    "the scheme alone": ("/api/whoami", ["Authorization: Bearer"], 400, "invalid_request", "invalid_request"),
    "garbage": ("/api/whoami", ["Authorization: Bearer a b"], 400, "invalid_request", "invalid_request"),
    "two fields": (
        "/api/whoami",
        ["Authorization: Bearer {good}", "Authorization: Bearer {good}"],
        400,
        "invalid_request",
        "invalid_request",
    ),
    "more than 16 KiB": ("/api/whoami", ["Authorization: Bearer {huge}"], 401, "invalid_token", "invalid_token"),
    "a scope too few": ("/things", ["Authorization: Bearer {other}"], 403, "insufficient_scope", "insufficient_scope"),
    "no such path": ("/nowhere", [], 404, "not_found", None),
}


@pytest.mark.parametrize(("path", "fields", "status", "error", "challenged"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.gen_test
async def test_a_rejection_has_the_documented_form(
    path: str,
    fields: list[str],
    status: int,
    error: str,
    challenged: str | None,
    call: Call,
    fake_issuer: RunningIssuer,
) -> None:
    tokens = {
        "good": fake_issuer.token(),
        "bad": fake_issuer.token(aud="api://other"),
        "huge": "a" * 16_385,
        "other": fake_issuer.token(scp="api:write"),
    }
    response = await call(path.format(**tokens), *[field.format(**tokens) for field in fields])
    said = json.loads(response.body)
    assert (status, error) == (response.code, said["error"])
    assert {"error", "error_description"} == said.keys()
    assert "no-store" == response.headers["Cache-Control"]
    assert APP == response.headers["Access-Control-Allow-Origin"]
    challenges = response.headers.get_list("WWW-Authenticate")
    if status == 404:
        assert [] == challenges
        return
    challenge, *others = challenges
    metadata = re.findall('resource_metadata="[^"]*"', challenge)[0]
    algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"'
    assert ([f'DPoP realm="api", {metadata}, {algs}'] if status == 401 else []) == others
    assert challenge.startswith('Bearer realm="api", ' + (f'error="{challenged}"' if challenged else "resource_"))
    assert ('scope="api:read"' in challenge) == (status == 403)
    assert "resource_metadata=" in challenge


@pytest.mark.gen_test
async def test_a_405_and_a_500_have_the_form_of_other_errors(call: Call, fake_issuer: RunningIssuer) -> None:
    field = f"Authorization: Bearer {fake_issuer.token(scp=['api:read', 'api:write'])}"
    for method, status in (("DELETE", 405), ("POST", 500)):
        response = await call("/things", field, method=method, body="" if method == "POST" else None)
        said = json.loads(response.body)
        assert status == response.code
        assert {"error", "error_description"} <= said.keys()
        assert "mistake of the handler" not in response.body.decode()
        assert "no-store" == response.headers["Cache-Control"]
        assert APP == response.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/api/whoami", "/things", "/nowhere", "/docs", "/.well-known/oauth-protected-resource"]
)
@pytest.mark.gen_test
async def test_no_response_names_the_server_and_its_version(path: str, call: Call, fake_issuer: RunningIssuer) -> None:
    field = f"Authorization: Bearer {fake_issuer.token(scp=['api:read', 'api:write'])}"
    for fields in ((), (field,)):
        for method in ("GET", "POST", "OPTIONS", "UNKNOWN"):
            assert "Server" not in (await call(path, *fields, method=method)).headers


@pytest.mark.parametrize("field", ["Bearer {}", "bearer {}", "BEARER   {}"])
@pytest.mark.gen_test
async def test_the_scheme_is_case_insensitive_and_may_have_several_spaces(
    field: str, call: Call, fake_issuer: RunningIssuer
) -> None:
    minted = fake_issuer.mint(sub="alice@example.com")
    response = await call("/api/whoami", f"Authorization: {field.format(minted.token)}")
    assert (200, minted.claims) == (response.code, json.loads(response.body))


@pytest.mark.gen_test
async def test_public_endpoints_need_no_token(call: Call, fake_issuer: RunningIssuer) -> None:
    assert {"message": "Hello world!"} == json.loads((await call("/api/hello", "Authorization: Bearer x")).body)
    assert 200 == (await call("/healthz")).code
    assert 200 == (await call("/readyz")).code
    metadata = json.loads((await call("/.well-known/oauth-protected-resource")).body)
    assert ("https://api.example", [fake_issuer.issuer_url()]) == (
        metadata["resource"],
        metadata["authorization_servers"],
    )
    assert "3.1.0" == json.loads((await call("/openapi.json")).body)["openapi"]
    assert (await call("/docs")).headers["Content-Type"].startswith("text/html")


@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_503_without_a_challenge(call: Call, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=500)
    ready = await call("/readyz")
    refused = await call("/api/whoami", f"Authorization: Bearer {fake_issuer.token()}")
    assert (503, 503, 200) == (ready.code, refused.code, (await call("/healthz")).code)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in refused.headers


def _offer(token: str) -> str:
    return "base64url.bearer.authorization." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


@pytest.mark.usefixtures("http_server")
@pytest.mark.gen_test
async def test_a_websocket_reads_its_token_from_the_header_or_a_subprotocol_that_is_never_echoed(
    open_socket: Call, base_url: str, fake_issuer: RunningIssuer
) -> None:
    token = fake_issuer.token(scp="api:read")
    assert (await open_socket(f"{base_url}/socket", Authorization=f"Bearer {token}")).selected_subprotocol is None
    offered = await open_socket(f"{base_url}/socket", _offer(token), "prices.v1")
    assert "prices.v1" == offered.selected_subprotocol


@pytest.mark.usefixtures("http_server")
@pytest.mark.gen_test
async def test_a_websocket_without_a_good_token_is_rejected_before_the_upgrade(
    open_socket: Call, base_url: str, fake_issuer: RunningIssuer
) -> None:
    for fields in ({}, {"Authorization": f"Bearer {fake_issuer.token(aud='api://other')}"}):
        with pytest.raises(HTTPClientError) as refused:
            await open_socket(f"{base_url}/socket", **fields)
        assert 401 == refused.value.code


@pytest.mark.usefixtures("http_server")
@pytest.mark.gen_test
async def test_a_websocket_closes_with_4401_on_expiry_and_4403_on_a_missing_scope(
    open_socket: Call, base_url: str, fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    token = fake_issuer.token(scp="api:read", expires_in=600)
    ended, demoted = [await open_socket(f"{base_url}/socket", Authorization=f"Bearer {token}") for _ in range(2)]
    await demoted.write_message(fake_issuer.token(scp="api:write"))
    assert await demoted.read_message() is None
    assert 4403 == demoted.close_code
    manual_clock.advance(600 + 120)
    await ended.write_message(token)
    assert await ended.read_message() is None
    assert 4401 == ended.close_code
