from __future__ import annotations

from typing import Any

import pydantic
import pytest

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
OTHER = "https://issuer.example/realms/one"


def test_each_issuer_has_its_own_settings_or_those_of_the_program() -> None:
    settings = Settings(
        issuer=OKTA,
        leeway=60,
        algorithms=("RS256", "ES256"),
        issuers=(
            IssuerSettings(issuer=OTHER, audience=("api://one",), algorithms=("PS256",), token_profile="rfc9068"),
        ),
    )
    okta, other = settings.trusted_issuers
    assert (frozenset({"RS256", "ES256"}), False, 60) == (okta.algorithms, okta.requires_rfc9068, okta.leeway)
    assert (frozenset({"PS256"}), True, 60) == (other.algorithms, other.requires_rfc9068, other.leeway)
    assert frozenset({"api://one"}) == other.audiences


INSECURE = ("insecure_accept_introspection_without_audience", "insecure_accept_id_token_hashes")


@pytest.mark.parametrize("setting", INSECURE)
@pytest.mark.parametrize(
    ("program", "own", "expected"),
    [(False, None, False), (False, True, True), (True, None, True), (True, False, False)],
)
def test_a_dangerous_setting_applies_to_one_issuer_or_to_all(
    setting: str, *, program: bool, own: bool | None, expected: bool
) -> None:
    table: dict[str, Any] = {setting: own}
    shared: dict[str, Any] = {setting: program}
    tables = (IssuerSettings(issuer=OTHER, audience=("api://one",), **table),)
    effective = setting.replace("insecure_accept_", "accepts_")
    issuers = Settings(issuer=OKTA, issuers=tables, **shared).trusted_issuers
    assert [program, expected] == [getattr(issuer, effective) for issuer in issuers]


def test_the_dangerous_settings_are_off_by_default() -> None:
    assert not any(getattr(Settings(issuer=OKTA), setting) for setting in INSECURE)


def test_an_issuer_table_is_enough() -> None:
    (only,) = Settings(issuers=(IssuerSettings(issuer=OKTA),)).trusted_issuers
    assert (OKTA, frozenset({"api://default"})) == (only.issuer, only.audiences)


def test_the_audience_is_not_inherited_by_other_issuers() -> None:
    with pytest.raises(SettingsError, match=r"audience: .* any API of https://issuer\.example/realms/one"):
        Settings(issuer=OKTA, audience=("api://mine",), issuers=(IssuerSettings(issuer=OTHER),))


def test_a_repeated_issuer_is_rejected() -> None:
    with pytest.raises(SettingsError, match="twice"):
        Settings(issuer=OKTA, issuers=(IssuerSettings(issuer=OKTA),))


@pytest.mark.parametrize("values", [{"allowed_clients": ("a",)}, {"lewway": 5}])
def test_an_unknown_keyword_is_rejected(values: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError, match="did you mean"):
        IssuerSettings(issuer=OKTA, **values)
    with pytest.raises(pydantic.ValidationError, match="did you mean"):
        IssuerSettings(issuer=OKTA).model_copy(update=values)


def test_a_copy_is_validated_like_a_new_table() -> None:
    table = IssuerSettings(issuer=OTHER, audience=("api://one",))
    assert table == table.model_copy()
    assert (OTHER, ("api://one",), 5.0) == (
        (copy := table.model_copy(update={"leeway": "5"})).issuer,
        copy.audience,
        copy.leeway,
    )


@pytest.mark.parametrize("name", ["allowed_client_ids", "audience"])
@pytest.mark.parametrize("empty", [[], (), "", " , ", [""]])
def test_an_empty_list_is_no_restriction_and_therefore_rejected(name: str, empty: object) -> None:
    values: dict[str, Any] = {name: empty}
    with pytest.raises(pydantic.ValidationError, match="is empty"):
        IssuerSettings(issuer=OKTA, **values)


def test_the_programs_clients_apply_to_an_issuer_without_its_own() -> None:
    own = IssuerSettings(issuer=OTHER, audience=("api://one",), allowed_client_ids=("b",))
    okta, other = Settings(issuer=OKTA, allowed_client_ids=("a",), issuers=(own,)).trusted_issuers
    assert (frozenset({"a"}), frozenset({"b"})) == (okta.allowed_client_ids, other.allowed_client_ids)
    (unrestricted,) = Settings(issuer=OKTA).trusted_issuers
    assert unrestricted.allowed_client_ids is None


def test_tables_in_the_environment_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_ISSUERS", '[{"issuer": "https://issuer.example", "audience": ["a"], "leeway": 5}]')
    (table,) = Settings().issuers
    assert ("https://issuer.example", ("a",), 5.0) == (table.issuer, table.audience, table.leeway)
