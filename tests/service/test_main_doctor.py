"""``check`` and ``explain`` on the command line; each runs as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakeissuer import RunningIssuer

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path) -> Run:
    """Return a function that runs ``python -m service`` with its arguments and the fake issuer, in an empty folder."""
    environment |= {"OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url(), "SERVICE_PORT": "0"}

    def run(*arguments: str, piped: str | bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            cwd=tmp_path,
            env=environment | variables,
            input=piped if isinstance(piped, bytes) else piped.encode(),
            capture_output=True,
            check=False,
            timeout=60,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def test_check_prints_one_line_per_check(run: Run) -> None:
    done = run("check")
    assert (0, "") == (done.returncode, done.stderr)
    assert len(done.stdout.splitlines()) > 10
    assert all(line.startswith("ok      ") for line in done.stdout.splitlines())


def test_check_exits_with_1_if_a_check_fails(run: Run, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", status=503)
    done = run("check")
    assert (1, "") == (done.returncode, done.stderr)
    assert "fail    key set: " in done.stdout
    assert "expected 200, got 503" in done.stdout


def test_explain_accepts_a_valid_token(run: Run, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    done = run("explain", token)
    assert (0, "") == (done.returncode, done.stderr)
    assert '"sub": "alice@example.com"' in done.stdout
    assert "conclusion: accepted" in done.stdout
    for part in (token, *token.split(".")):
        assert part not in done.stdout


def test_explain_rejects_an_expired_token(run: Run, fake_issuer: RunningIssuer) -> None:
    done = run("explain", fake_issuer.token(expires_in=-600))
    assert (1, "") == (done.returncode, done.stderr)
    assert "fail    it has not expired" in done.stdout


def test_explain_is_undecided_while_the_issuer_is_down(run: Run, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", drop=True)
    done = run("explain", fake_issuer.token())
    assert (1, "") == (done.returncode, done.stderr)
    assert "conclusion: undecided" in done.stdout


@pytest.mark.parametrize("text", ["{}", "Bearer {}\n", " {} \r\n"])
def test_explain_reads_standard_input(text: str, run: Run, fake_issuer: RunningIssuer) -> None:
    assert 0 == run("explain", "-", piped=text.format(fake_issuer.token())).returncode


@pytest.mark.parametrize("piped", [b"", b"\xff\xfe\x00", b"x" * 3_000_000])
def test_explain_rejects_malformed_input(piped: bytes, run: Run) -> None:
    done = run("explain", "-", piped=piped)
    assert (1, "") == (done.returncode, done.stderr)
    assert "conclusion: rejected" in done.stdout


def test_explain_accepts_scheme_and_token_as_two_arguments(run: Run, fake_issuer: RunningIssuer) -> None:
    assert 0 == run("explain", "Bearer", fake_issuer.token()).returncode


def test_options_may_precede_or_follow_the_command(run: Run, fake_issuer: RunningIssuer) -> None:
    token, options = fake_issuer.token(aud="api://x"), ["--audience", "api://x"]
    assert 0 == run("explain", *options, token).returncode
    assert 0 == run(*options, "explain", token).returncode
    assert 0 == run("explain", token, *options).returncode


def test_explain_escapes_characters_outside_the_terminal_encoding(run: Run, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(claims={"name": "Zoë"})
    done = run("explain", token, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert 0 == done.returncode
    assert '"name": "Zo\\xeb"' in done.stdout


def test_explain_escapes_characters_that_control_the_terminal(run: Run, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(claims={"name": "\x9b2J\u202e\u2028"})
    done = run("explain", token)
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert "\\x9b2J\\u202e\\u2028" in done.stdout


LOOKS_LIKE_A_TOKEN = "-eyJhbGciOiJSUzI1NiJ9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain"], "explain takes one token"),
        (["explain", LOOKS_LIKE_A_TOKEN], "explain takes one token"),
        (["explain", "x", "--demo"], "--demo serves"),
        (["explain", "x", "--no-such-option"], "explain takes one token"),
        ([LOOKS_LIKE_A_TOKEN[1:]], "invalid choice"),
        (["check", LOOKS_LIKE_A_TOKEN], "unrecognized arguments"),
        (["check", "now"], "unrecognized arguments: now"),
        (["run", "x"], "unrecognized arguments: x"),
        (["check", "--issuer", "https://x.example"], "audience"),
        (["explain", "x", "--issuer", "https://dev-1-admin.okta.com/oauth2/default"], "admin console"),
        (["check", "--config", "missing.toml"], "missing.toml"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else value,
)
def test_wrong_usage_and_settings_exit_with_2_without_repeating_the_token(
    arguments: list[str], message: str, run: Run
) -> None:
    done = run(*arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert LOOKS_LIKE_A_TOKEN[1:] not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "explain"])
def test_an_unknown_validator_is_a_settings_error(command: str, run: Run) -> None:
    done = run(command, *(["x"] if command == "explain" else []), SERVICE_VALIDATION="jtw")
    assert (2, "") == (done.returncode, done.stdout)
    assert "did you mean 'jwt'?" in done.stderr


def test_check_prints_json_with_stable_fields(run: Run, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", status=503)
    done = run("check", "--json", "--routes")
    assert (1, "") == (done.returncode, done.stderr)
    document = json.loads(done.stdout)
    assert {"passed", "checks", "routes"} == document.keys()
    assert document["passed"] is False
    assert all({"id", "status", "subject", "text", "advice"} == check.keys() for check in document["checks"])
    checks = {check["id"]: check for check in document["checks"]}
    assert len(checks) == len(document["checks"])
    assert ("fail", "") == (checks["key_set"]["status"], checks["key_set"]["subject"])
    assert "expected 200, got 503" in checks["key_set"]["text"]
    assert "the issuer has an error" in checks["key_set"]["advice"]
    assert {"method", "pattern", "handler", "requirements"} == document["routes"][0].keys()


def test_check_names_the_issuer_of_each_check(run: Run, fake_issuer: RunningIssuer) -> None:
    tables = [{"issuer": fake_issuer.issuer_url(name), "audience": "a"} for name in ("default", "partner")]
    done = run("check", "--json", OKTA_OAUTH2_ISSUER="", SERVICE_ISSUERS=json.dumps(tables))
    checks = json.loads(done.stdout)["checks"]
    assert {fake_issuer.issuer_url("default"), fake_issuer.issuer_url("partner"), ""} == {
        check["subject"] for check in checks
    }


def test_check_compares_the_packages_with_advisories(run: Run, tmp_path: Path) -> None:
    (tmp_path / "osv.json").write_text(
        '{"id": "GHSA-test", "affected": [{"package": {"ecosystem": "PyPI", "name": "tornado"}, '
        '"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}'
    )
    done = run("check", "--advisories", "osv.json")
    assert (1, "") == (done.returncode, done.stderr)
    assert "has the advisory GHSA-test; there is no fixed version yet" in done.stdout
    done = run("check", "--advisories", "missing.json")
    assert (2, "--advisories: missing.json: No such file or directory\n") == (done.returncode, done.stderr)
    done = run("config", "--json")
    assert 2 == done.returncode
    assert "--json and --advisories belong to check" in done.stderr
