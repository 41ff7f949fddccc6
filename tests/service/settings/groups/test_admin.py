from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from service.__main__ import main
from service.errors import SettingsError
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
ALICE = "alice-0123456789-abcdefghijklmnopqrst"
BOB = "bob-0123456789-abcdefghijklmnopqrstuv"

pytestmark = pytest.mark.usefixtures("no_environment")


def test_operators_have_tokens_from_toml_and_files(tmp_path: Path) -> None:
    (tmp_path / "bob").write_text(f"{BOB}\n")
    config = tmp_path / "service.toml"
    tokens = {"alice": ALICE, "bob@example.com": {"file": str(tmp_path / "bob")}}
    config.write_text(tomli_w.dumps({"issuer": OKTA, "admin_token": ALICE[::-1], "admin_tokens": tokens}))
    settings = Settings.from_toml(config)
    expected = {"admin_token": ALICE[::-1], "alice": ALICE, "bob@example.com": BOB}
    assert expected == settings.operator_tokens
    for token in (ALICE, BOB):
        assert token not in repr(settings)
    copy = settings.model_copy(update={"admin_tokens": {"alice": BOB}})
    assert BOB == copy.operator_tokens["alice"]
    assert BOB == settings.model_copy(update={"admin_token": BOB[::-1]}).operator_tokens["bob@example.com"]


def test_the_environment_has_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_ADMIN_TOKENS", f'{{"alice": "{ALICE}"}}')
    assert {"alice": ALICE} == Settings(issuer=OKTA).operator_tokens


WRONG: dict[str, tuple[Any, str]] = {
    "no table": ([ALICE], "expected a table"),
    "no JSON": (f"alice={ALICE}", "expected a table"),
    "a text in JSON": (f'"{ALICE}"', "expected a table"),
    "a token as the name": ({ALICE: "alice"}, "the name of an operator"),
    "a name with a space": ({"alice b": ALICE}, "the name of an operator"),
    "an empty name": ({"": ALICE}, "the name of an operator"),
    "the name of the shared token": ({"admin_token": ALICE}, "use another name"),
    "a weak token": ({"alice": "hunter2"}, "alice: is too weak: its length is 7 and"),
    "a number": ({"alice": 12345678}, "alice: expected a token as a text"),
    "a table without a file": ({"alice": {"path": ALICE}}, "alice: expected a token as a text"),
    "a table with more": ({"alice": {"file": "x", "token": ALICE}}, "alice: expected a token as a text"),
    "a missing file": ({"alice": {"file": "/no/such/file"}}, "alice: /no/such/file: No such file or directory"),
    "the same token twice": ({"alice": ALICE, "bob": ALICE}, "bob and alice have the same token"),
}


@pytest.mark.parametrize(("tokens", "words"), WRONG.values(), ids=WRONG)
def test_wrong_tokens_are_rejected_without_showing_them(tokens: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as rejection:
        Settings(issuer=OKTA, admin_tokens=tokens)
    for secret in (ALICE, "hunter2", "12345678"):
        assert secret not in str(rejection.value)


def test_a_token_that_is_also_the_shared_one_is_rejected() -> None:
    with pytest.raises(SettingsError, match="alice and admin_token have the same token"):
        Settings.from_keywords(issuer=OKTA, admin_token=ALICE, admin_tokens={"alice": ALICE})


@pytest.mark.parametrize("variable", ["SERVICE_ADMIN_TOKEN", "SERVICE_ADMIN_TOKEN_FILE"])
def test_a_token_of_one_letter_stops_the_start(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text("x\n")
    monkeypatch.setenv(variable, "x" if variable.endswith("TOKEN") else str(tmp_path / "token"))
    assert 2 == main(["--issuer", OKTA])
    printed = capsys.readouterr().err
    assert printed.startswith("admin_token")
    assert 'python -c "import secrets; print(secrets.token_urlsafe(32))"' in printed
