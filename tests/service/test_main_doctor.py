"""``check`` and ``explain`` on the command line, as a person meets them: each is a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakeissuer import RunningIssuer

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path) -> Run:
    """Return what runs ``python -m service`` with these arguments, in an empty folder, told of the fake issuer."""
    environment |= {"OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url()}

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


def test_check_prints_one_line_a_check(run: Run) -> None:
    done = run("check")
    assert (0, "") == (done.returncode, done.stderr)
    assert len(done.stdout.splitlines()) > 10
    assert all(line.startswith("ok      ") for line in done.stdout.splitlines())


def test_check_fails_when_a_check_does(run: Run, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", status=503)
    done = run("check")
    assert (1, "") == (done.returncode, done.stderr)
    assert "fail    key set: " in done.stdout
    assert "expected 200, got 503" in done.stdout


def test_explain_accepts_a_good_token(run: Run, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    done = run("explain", token)
    assert (0, "") == (done.returncode, done.stderr)
    assert '"sub": "alice@example.com"' in done.stdout
    assert "conclusion: accepted" in done.stdout
    for part in (token, *token.split(".")):
        assert part not in done.stdout


def test_explain_refuses_a_bad_token(run: Run, fake_issuer: RunningIssuer) -> None:
    done = run("explain", fake_issuer.token(expires_in=-600))
    assert (1, "") == (done.returncode, done.stderr)
    assert "fail    it has not expired" in done.stdout


def test_explain_is_undecided_while_the_issuer_is_down(run: Run, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", drop=True)
    done = run("explain", fake_issuer.token())
    assert (1, "") == (done.returncode, done.stderr)
    assert "conclusion: undecided" in done.stdout


@pytest.mark.parametrize("words", ["{}", "Bearer {}\n", " {} \r\n"])
def test_explain_reads_standard_input(words: str, run: Run, fake_issuer: RunningIssuer) -> None:
    assert 0 == run("explain", "-", piped=words.format(fake_issuer.token())).returncode


@pytest.mark.parametrize("piped", [b"", b"\xff\xfe\x00", b"x" * 3_000_000])
def test_explain_accepts_any_standard_input(piped: bytes, run: Run) -> None:
    done = run("explain", "-", piped=piped)
    assert (1, "") == (done.returncode, done.stderr)
    assert "conclusion: rejected" in done.stdout


def test_explain_takes_a_token_that_the_shell_has_split_from_its_scheme(run: Run, fake_issuer: RunningIssuer) -> None:
    assert 0 == run("explain", "Bearer", fake_issuer.token()).returncode


def test_options_stand_on_either_side(run: Run, fake_issuer: RunningIssuer) -> None:
    token, options = fake_issuer.token(aud="api://x"), ["--audience", "api://x"]
    assert 0 == run("explain", *options, token).returncode
    assert 0 == run(*options, "explain", token).returncode
    assert 0 == run("explain", token, *options).returncode


def test_explain_prints_what_a_terminal_cannot_show_as_numbers(run: Run, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(claims={"name": "Zoë"})
    done = run("explain", token, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert 0 == done.returncode
    assert '"name": "Zo\\xeb"' in done.stdout


LOOKS_LIKE_A_TOKEN = "-eyJhbGciOiJSUzI1NiJ9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("arguments", "words"),
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
def test_wrong_usage_and_settings_end_with_2_and_repeat_no_token(arguments: list[str], words: str, run: Run) -> None:
    done = run(*arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert words in done.stderr
    assert LOOKS_LIKE_A_TOKEN[1:] not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_validator_that_does_not_exist_is_a_wrong_setting(command: str, run: Run) -> None:
    done = run(command, *(["x"] if command == "explain" else []), SERVICE_VALIDATION="jtw")
    assert (2, "") == (done.returncode, done.stdout)
    assert "did you mean 'jwt'?" in done.stderr
