from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import SettingsError
from service.settings.sources import load_settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _problems(**options: object) -> str:
    with pytest.raises(SettingsError) as rejection:
        load_settings(options)
    return "\n".join(rejection.value.problems)


def test_the_stronger_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "service.toml"
    config.write_text(f'issuer = "{OKTA}"\nrealm = "toml"\nleeway = 1\nport = 1\naddress = "::1"\n')
    (tmp_path / ".okta.env").write_text("SERVICE_LEEWAY=2\nSERVICE_PORT=2\nSERVICE_ADDRESS=::2\nNAME=unused\n")
    monkeypatch.setenv("SERVICE_PORT", "3")
    monkeypatch.setenv("SERVICE_ADDRESS", "::3")
    found = load_settings({"address": "::4", "port": None}, config_file=config)
    settings = found.settings
    assert ("toml", 2.0, 3, "::4") == (settings.realm, settings.leeway, settings.port, settings.address)
    assert {
        "issuer": str(config),
        "realm": str(config),
        "leeway": ".okta.env",
        "port": "environment",
        "address": "command line",
    } == found.origins


def test_the_names_of_one_setting_do_not_change_which_source_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".okta.env").write_text("OKTA_OAUTH2_ISSUER=https://weak.okta.com/oauth2/default\n")
    monkeypatch.setenv("SERVICE_ISSUER", OKTA)
    assert OKTA == load_settings({}).settings.issuer


def test_a_derived_setting_names_its_source(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s\n")
    given = {"org_url": "https://dev-123456.okta.com", "client_id": "a", "client_secret_file": str(tmp_path / "secret")}
    origins = load_settings(given).origins
    assert ("derived from org_url", "derived from client_secret_file") == (origins["issuer"], origins["client_secret"])
    assert "derived from org_url" == origins["profile"]
    assert "admin_token" not in origins


def test_a_named_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "other.env").write_text(f"OKTA_ISSUER={OKTA}\n")
    assert OKTA == load_settings({}, env_file=tmp_path / "other.env").settings.issuer


def test_a_missing_setting_is_named() -> None:
    problems = _problems()
    assert "issuer: is not set" in problems
    assert "--demo" in problems


def test_the_source_of_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_OAUTH2_ISSUER", "https://dev-1-admin.okta.com/oauth2/default")
    problems = _problems(port="many")
    assert "issuer (from environment): was 'https://dev-1-admin.okta.com/oauth2/default'" in problems
    assert "write https://dev-1.okta.com/oauth2/default" in problems
    assert "port (from command line): was 'many'" in problems
    assert 2 == len(problems.splitlines())


def test_a_wrong_secret_is_not_shown() -> None:
    assert "hunter2" not in _problems(issuer=OKTA, http_proxy=["hunter2"])


def test_an_unknown_key_is_rejected_with_the_nearest_one(tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text(f'isuer = "{OKTA}"\nzebra = 1\n')
    with pytest.raises(SettingsError) as rejection:
        load_settings({}, config_file=config)
    assert (
        f"{config}: there is no setting 'isuer'; did you mean 'issuer'?",
        f"{config}: there is no setting 'zebra'",
    ) == rejection.value.problems


@pytest.mark.parametrize("option", ["env_file", "config_file"])
def test_a_missing_file_is_rejected(option: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="missing: No such file or directory"):
        load_settings({}, **{option: tmp_path / "missing"})


def test_malformed_toml_is_rejected(tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text("issuer = \n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings({}, config_file=config)


def test_issuer_tables_are_read(tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text(
        f'[[issuers]]\nissuer = "{OKTA}"\n\n'
        '[[issuers]]\nissuer = "https://issuer.example"\naudience = "api://one"\nmax_token_age = 600\n'
    )
    okta, other = load_settings({}, config_file=config).settings.trusted_issuers
    assert (OKTA, None) == (okta.issuer, okta.max_token_age)
    assert (frozenset({"api://one"}), 600.0) == (other.audiences, other.max_token_age)


def test_the_wrong_table_is_named(tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text(
        f'[[issuers]]\nissuer = "{OKTA}"\nlewway = 5\n\n[[issuers]]\nissuer = "http://issuer.example"\naudience = "a"\n'
    )
    with pytest.raises(SettingsError) as rejection:
        load_settings({}, config_file=config)
    assert (
        f"issuers.0 (from {config}): there is no setting 'lewway'; did you mean 'leeway'?",
        (
            f"issuers.1.issuer (from {config}): was 'http://issuer.example'; "
            "http:// can be forged on the way; write https://issuer.example"
        ),
    ) == rejection.value.problems


def test_several_problems_are_reported_at_once() -> None:
    problems = _problems(issuer="https://issuer.example", certfile="cert.pem").splitlines()
    assert ["audience", "certfile"] == [problem.partition(":")[0] for problem in problems]
