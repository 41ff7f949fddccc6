"""Wrong settings of every kind, from every source: the program exits with 2, one line for each, and no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import Start

from service.__main__ import main
from service.app import make_app
from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.names import environment_names
from service.settings.program import SECRETS, Settings
from service.settings.sources import load_settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
CANARY = "hunter2"
NUMBER = 48151623420000
"""A secret that was written without quotes."""

Fails = Callable[..., list[str]]


pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Fails:
    """Return a function that runs ``python -m service config`` with wrong settings, and returns the lines it prints."""

    def run(*arguments: str) -> list[str]:
        assert 2 == main([*arguments, "config"])
        printed = capsys.readouterr()
        assert "" == printed.out
        assert CANARY not in printed.err
        assert str(NUMBER) not in printed.err
        assert all(line.isprintable() for line in printed.err.split("\n"))
        return printed.err.splitlines()

    return run


WRONG: dict[str, Any] = {
    "an integer": NUMBER,
    "a huge integer": 10**400,
    "a fraction": 0.5,
    "a boolean": True,
    "an empty text": "",
    "a text": CANARY,
    "a text with control characters": f"{CANARY}\x1b[2J\x9b\u2028\u202e",
    "a URL with a password": f"ftp://alice:{CANARY}@host.example:many/#{CANARY}",
    "a path in brackets": f"redis://[{CANARY}",
    "an empty list": [],
    "a list of lists": [[CANARY]],
    "a list of numbers": [NUMBER],
    "a table": {CANARY.upper(): CANARY},
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_wrong_value_is_a_settings_error_without_a_secret(
    name: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "service.toml"
    config.write_text(tomli_w.dumps({"issuer": OKTA, name: value}), "utf-8")
    variable = environment_names(name, Settings.model_fields[name])[0]
    text = value if isinstance(value, str) else json.dumps(value)
    (tmp_path / "service.env").write_text(f"OKTA_ISSUER={OKTA}\n{variable}='{text}'\n", "utf-8")
    _check_problems(name, start=True, command_line={"issuer": OKTA, name: value})
    _check_problems(name, command_line={}, config_file=config)
    _check_problems(name, command_line={}, env_file=tmp_path / "service.env")
    if text.isprintable():
        monkeypatch.setenv(variable, text)
        _check_problems(name, command_line={} if name == "issuer" else {"issuer": OKTA})


def _check_problems(name: str, *, start: bool = False, **sources: Any) -> None:
    for line in _problems(start=start, **sources):
        assert line.isprintable()
        assert f":{CANARY}@" not in line
        if name in SECRETS or name == "issuers":
            assert CANARY not in line
            assert str(NUMBER) not in line


def _problems(*, start: bool, **sources: Any) -> tuple[str, ...]:
    """Load settings, start with them on demand if they are accepted, and return the problems of a ``SettingsError``."""
    try:
        loaded = load_settings(**sources).settings
        if start:
            make_app(loaded, routes=[])
    except SettingsError as exc:
        return exc.problems
    return ()


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", IssuerSettings.model_fields)
def test_a_wrong_value_in_a_table_is_a_settings_error_without_a_secret(
    name: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"issuer": "https://issuer.example", "audience": "api", "client_id": "me", name: value}
    config = tmp_path / "service.toml"
    config.write_text(tomli_w.dumps({"issuers": [table]}), "utf-8")
    _check_problems(name, start=True, command_line={}, config_file=config)
    monkeypatch.setenv("SERVICE_ISSUERS", json.dumps([table]))
    _check_problems(name, command_line={})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.dictionaries(
        st.sampled_from([*Settings.model_fields, "allowed_clients"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=4,
        ),
        max_size=4,
    )
)
def test_any_settings_are_accepted_or_a_settings_error(table: dict[str, Any]) -> None:
    assert all(line.isprintable() for line in _problems(start=True, command_line=table))


FILES: dict[str, tuple[str, bytes, str]] = {
    "a TOML file in UTF-16": ("--config", f'admin_token = "{CANARY}"'.encode("utf-16"), "not UTF-8 text"),
    "a TOML file in Latin-1": ("--config", f'admin_token = "{CANARY}ä"'.encode("latin-1"), "not UTF-8 text"),
    "an env file in UTF-16": ("--env-file", f"SERVICE_ADMIN_TOKEN={CANARY}".encode("utf-16"), "not UTF-8 text"),
    "an env file in UTF-16 without a mark": ("--env-file", f"A={CANARY}".encode("utf-16-le"), "not UTF-8 text"),
    "an env file in Latin-1": ("--env-file", f"SERVICE_ADMIN_TOKEN={CANARY}ä".encode("latin-1"), "not UTF-8 text"),
    "a line of an env file": ("--env-file", f"SERVICE_ADMIN_TOKEN: {CANARY}".encode(), "line 1: expected NAME=value"),
    "malformed TOML": ("--config", f"admin_token = {CANARY}".encode(), "not valid TOML"),
    "an unquoted secret": ("--config", f"admin_token = {NUMBER}".encode(), "admin_token (from file): Input should be"),
    "an unquoted secret in a table": (
        "--config",
        f'[[issuers]]\nissuer = "{OKTA}"\nclient_secret = {NUMBER}'.encode(),
        "issuers.0.client_secret (from file): Input should be",
    ),
    "a misspelt secret": ("--config", f'admin_tokn = "{CANARY}"'.encode(), "did you mean 'admin_token'?"),
    "a misspelt variable": ("--env-file", f"SERVICE_ADMIN_TOKN={CANARY}".encode(), "'SERVICE_ADMIN_TOKEN'?"),
    "a name with an escape sequence": ("--config", b'"a\\u001b[2J" = 1', "no setting 'a\\x1b[2J'"),
    "a password in an issuer": ("--config", f'issuer = "https://a:{CANARY}@b.example"'.encode(), "write https://b"),
}


@pytest.mark.parametrize(("option", "content", "message"), FILES.values(), ids=FILES)
def test_a_malformed_file_is_one_line_that_names_it(
    option: str, content: bytes, message: str, tmp_path: Path, fails: Fails
) -> None:
    (tmp_path / "file").write_bytes(content)
    (line,) = [line for line in fails(option, "file", "--audience", "api") if not line.startswith("issuer: is not set")]
    assert "file" in line
    assert message in line


@pytest.mark.parametrize("option", ["--config", "--env-file"])
@pytest.mark.parametrize("path", [".", "missing", "/proc/self/mem"])
def test_an_unreadable_file_is_one_line_that_names_it(option: str, path: str, fails: Fails) -> None:
    (line,) = fails(option, path)
    assert line.startswith(f"{path}: ")


VARIABLES: dict[str, tuple[dict[str, str], str]] = {
    "a misspelt restriction": ({"SERVICE_ALLOWED_CLIENTS_IDS": "a"}, "did you mean 'SERVICE_ALLOWED_CLIENT_IDS'?"),
    "a misspelt validation": ({"SERVICE_VALIDATON": "introspection"}, "environment: there is no setting"),
    "a misspelt audience": ({"OKTA_OAUTH2_AUDIENC": "api://mine"}, "did you mean 'OKTA_OAUTH2_AUDIENCE'?"),
    "a list without items": ({"SERVICE_ALLOWED_CLIENT_IDS": " , "}, "allowed_client_ids (from environment)"),
    "malformed JSON": (
        {"SERVICE_ISSUERS": f'[{{"client_secret": "{CANARY}"'},
        "issuers (from environment): expected a",
    ),
    "JSON that is not an array": ({"SERVICE_ISSUERS": f'{{"a": "{CANARY}"}}'}, "issuers (from environment): "),
    "JSON with a repeated name": (
        {"SERVICE_ISSUERS": f'[{{"issuer": "{OKTA}", "client_secret": "a", "client_secret": "{CANARY}"}}]'},
        "issuers (from environment): expected a JSON array",
    ),
    "JSON with an unquoted secret": (
        {"SERVICE_ISSUERS": f'[{{"issuer": "https://b.example", "client_secret": {NUMBER}}}]'},
        "issuers.0.client_secret (from environment)",
    ),
    "a proxy with a malformed port": ({"SERVICE_HTTP_PROXY": f"http://a:{CANARY}@b:many"}, "http_proxy (from env"),
    "a proxy with a slash in its password": ({"SERVICE_HTTP_PROXY": f"http://a:x/{CANARY}@b:1"}, "http_proxy (from"),
    "a missing CA file": ({"SERVICE_CA_FILE": "missing.pem"}, "ca_file (from environment): was 'missing.pem'"),
    "a folder as CA file": ({"SERVICE_CA_FILE": "."}, "ca_file (from environment): was '.'; ."),
    "a missing secret file": ({"SERVICE_ADMIN_TOKEN_FILE": "missing"}, "admin_token_file: missing: No such file"),
    "a folder as secret file": ({"OKTA_CLIENT_SECRET_FILE": "."}, "client_secret_file: .: Is a directory"),
    "the port of a Kubernetes service": ({"SERVICE_PORT": "tcp://10.0.0.11:80"}, "enableServiceLinks: false"),
    "an empty address": ({"SERVICE_ADDRESS": " "}, "expected an IP address"),
}


@pytest.mark.parametrize(("variables", "message"), VARIABLES.values(), ids=VARIABLES)
def test_a_wrong_variable_is_one_line_that_names_it(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, fails: Fails
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (line,) = fails("--issuer", OKTA)
    assert message in line


def test_the_port_of_a_kubernetes_service_may_be_overridden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "SERVICE_SERVICE_HOST": "10.0.0.11",
        "SERVICE_SERVICE_PORT": "80",
        "SERVICE_PORT": "tcp://10.0.0.11:80",
        "SERVICE_PORT_80_TCP": "tcp://10.0.0.11:80",
        "SERVICE_PORT_80_TCP_ADDR": "10.0.0.11",
    }.items():
        monkeypatch.setenv(name, value)
    assert 0 == main(["--issuer", OKTA, "--port", "9000", "config"])
    assert "port = 9000  # command line\n" in capsys.readouterr().out


def test_an_empty_list_of_a_table_does_not_replace_the_programs_list(tmp_path: Path, fails: Fails) -> None:
    (tmp_path / "service.toml").write_text(
        f'allowed_client_ids = ["a"]\n[[issuers]]\nissuer = "{OKTA}"\nallowed_client_ids = []\n'
    )
    (line,) = fails("--config", "service.toml")
    assert line.startswith("issuers.0.allowed_client_ids (from service.toml): ")
    (tmp_path / "service.toml").write_text(f'issuer = "{OKTA}"\nallowed_client_ids = []\n')
    (line,) = fails("--config", "service.toml")
    assert line.startswith("allowed_client_ids (from service.toml): ")


PRIVATE = "PRIVATE"  # apart, since a hook searches for private keys
START_ERRORS: dict[str, tuple[list[str], dict[str, str], str]] = {
    "a missing certificate": (["--certfile", "no.pem", "--keyfile", "no.pem"], {}, "certfile: no.pem: No such file"),
    "a folder as key": (["--certfile", "text", "--keyfile", "."], {}, "keyfile: .: Is a directory"),
    "a certificate that is not PEM": (
        ["--certfile", "text", "--keyfile", "text"],
        {},
        "certfile: text and keyfile: te",
    ),
    "an unknown validator": ([], {"SERVICE_VALIDATION": "text:build"}, "validation: was 'text:build'"),
    "a cache with an invalid port": (
        [],
        {"SERVICE_CACHE_URL": f"redis://:{CANARY}@b:many", "SERVICE_CACHE_SECRET": "x" * 32},
        "cache_url: is not a URL",
    ),
    "a cache with a password in pieces": (
        [],
        {"SERVICE_CACHE_URL": f"redis://a:1#{CANARY}@b", "SERVICE_CACHE_SECRET": "x" * 32},
        "cache_url: was redis:",
    ),
    "a private key that is a text": (
        [],
        {"OKTA_CLIENT_ID": "a", "OKTA_OAUTH2_PRIVATE_KEY_FILE": "text", "SERVICE_VALIDATION": "introspection"},
        "private_key_file: text contains no private key",
    ),
    "a private key in place of its file": (
        [],
        {
            "OKTA_CLIENT_ID": "a",
            "OKTA_OAUTH2_PRIVATE_KEY_FILE": f"-----BEGIN {PRIVATE} KEY-----\n{CANARY}",
            "SERVICE_VALIDATION": "introspection",
        },
        "private_key_file: (not a path): No such file",
    ),
    "an env file in UTF-16": (["--env-file", "utf-16"], {}, "utf-16: not UTF-8 text"),
    "malformed JSON": ([], {"SERVICE_ISSUERS": f"[{CANARY}"}, "issuers (from environment): expected a JSON array"),
}


@pytest.mark.parametrize(("options", "variables", "message"), START_ERRORS.values(), ids=START_ERRORS)
def test_a_start_error_is_one_line_on_standard_error(
    options: list[str], variables: dict[str, str], message: str, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text(f"{CANARY}\n")
    (tmp_path / "utf-16").write_text(f"SERVICE_ADMIN_TOKEN={CANARY}\n", "utf-16")
    process = start("service", "--port", "0", "--issuer", OKTA, *options, **variables)
    out, err = process.communicate(timeout=30)
    assert (2, "") == (process.returncode, out)
    (line,) = err.splitlines()
    assert message in line
    assert CANARY not in line
