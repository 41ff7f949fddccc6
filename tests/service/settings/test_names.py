from __future__ import annotations

import pytest

from service.errors import SettingsError
from service.settings.names import SettingNames, environment_names
from service.settings.program import Settings

NAMES = SettingNames(Settings.model_fields)


def _problems(**variables: str) -> list[str]:
    return list(NAMES.find_unknown(NAMES.from_environment(variables)))


MISSPELT = {
    "SERVICE_ALLOWED_CLIENTS_IDS": "SERVICE_ALLOWED_CLIENT_IDS",
    "SERVICE_ALLOWED_CLIENT_ID": "SERVICE_ALLOWED_CLIENT_IDS",
    "SERVICE_VALIDATON": "SERVICE_VALIDATION",
    "SERVICE_INTROSPECTION_JWTS": "SERVICE_INTROSPECTION_JWT",
    "SERVICE_OKTA_ISUER": "OKTA_ISSUER",
    "OKTA_OAUTH2_AUDIENC": "OKTA_OAUTH2_AUDIENCE",
    "OKTA_OAUTH_AUDIENCE": "OKTA_OAUTH2_AUDIENCE",
    "OKTA_AUDIENCE": "OKTA_OAUTH2_AUDIENCE",
    "OKTA_API_AUDIANCE": "OKTA_OAUTH2_AUDIENCE",
    "OKTA_OAUTH2_ISUER": "OKTA_OAUTH2_ISSUER",
    "OKTA_OAUTH2_CLIENTID": "OKTA_OAUTH2_CLIENT_ID",
    "OKTA_ORGURL": "OKTA_ORG_URL",
    "OKTA_ALLOWED_CLIENT_IDS": "SERVICE_ALLOWED_CLIENT_IDS",
    "OKTA_OAUTH2_ALLOWED_CLIENTS": "SERVICE_ALLOWED_CLIENT_IDS",
    "OKTA_MAX_TOKEN_AGE": "SERVICE_MAX_TOKEN_AGE",
}


@pytest.mark.parametrize(("variable", "nearest"), MISSPELT.items(), ids=MISSPELT)
def test_a_misspelt_variable_is_named_with_the_nearest_setting(variable: str, nearest: str) -> None:
    assert [f"there is no setting {variable!r}; did you mean {nearest!r}?"] == _problems(**{variable: "x"})
    assert [f"there is no setting {variable!r}; did you mean {nearest!r}?"] == _problems(**{variable.lower(): "x"})


def test_a_variable_without_a_near_setting_is_rejected_too() -> None:
    assert ["there is no setting 'SERVICE_QX'"] == _problems(SERVICE_QX="x")


OTHER_PROGRAMS = {
    "Okta's SDKs": "OKTA_CLIENT_ORGURL OKTA_CLIENT_TOKEN OKTA_CLIENT_CLIENTID OKTA_CLIENT_SCOPES OKTA_CLIENT_KID "
    "OKTA_CLIENT_PRIVATEKEY OKTA_CLIENT_PROXY_PORT OKTA_CLIENT_DPOP OKTA_TESTING_DISABLEHTTPSCHECK OKTA_IDX_ISSUER "
    "OKTA_IDX_CLIENTID OKTA_IDX_CLIENTSECRET OKTA_IDX_SCOPES",
    "Terraform": "OKTA_ORG_NAME OKTA_BASE_URL OKTA_API_TOKEN OKTA_API_CLIENT_ID OKTA_API_SCOPES OKTA_API_PRIVATE_KEY "
    "OKTA_API_PRIVATE_KEY_ID OKTA_ACCESS_TOKEN OKTA_HTTP_PROXY",
    "Spring": "OKTA_OAUTH2_SCOPES OKTA_OAUTH2_REDIRECT_URI OKTA_OAUTH2_GROUPS_CLAIM OKTA_OAUTH2_CLIENT_ID_WEB "
    "OKTA_OAUTH2_CLIENT_SECRET_WEB OKTA_OAUTH2_POST_LOGOUT_REDIRECT_URI",
    "samples": "ISSUER CLIENT_ID CLIENT_SECRET SPA_CLIENT_ID OKTA_WEB_CLIENT_ID OKTA_SPA_CLIENT_ID OKTA_REDIRECT_URI",
    "systemd": "SERVICE_RESULT INVOCATION_ID LISTEN_FDS",
    "other programs": "PORT HTTP_PROXY MY_SERVICE_PORT MICROSERVICE_VALIDATION DD_SERVICE",
    "Kubernetes": "SERVICE_SERVICE_HOST SERVICE_SERVICE_PORT SERVICE_SERVICE_PORT_HTTP SERVICE_PORT_80_TCP "
    "SERVICE_PORT_80_TCP_PROTO SERVICE_PORT_80_TCP_PORT SERVICE_PORT_80_TCP_ADDR SERVICE_STORE_SERVICE_HOST "
    "SERVICE_STORE_PORT_443_TCP_ADDR",
}


@pytest.mark.parametrize("variables", OTHER_PROGRAMS.values(), ids=OTHER_PROGRAMS)
def test_variables_of_other_programs_are_omitted(variables: str) -> None:
    assert {} == NAMES.from_environment(dict.fromkeys(variables.split(), "x"))


def test_the_port_of_another_kubernetes_service_is_omitted() -> None:
    assert {} == NAMES.from_environment({"SERVICE_STORE_PORT": "tcp://10.0.0.11:443"})
    assert ["there is no setting 'SERVICE_STORE_PORT'"] == _problems(SERVICE_STORE_PORT="443")


def test_a_variable_of_another_program_may_resemble_a_setting_that_has_a_value() -> None:
    assert [] == _problems(OKTA_AUDIENCE="api://mine", OKTA_OAUTH2_AUDIENCE="api://mine")
    assert 1 == len(_problems(OKTA_AUDIENCE="api://mine", OKTA_OAUTH2_ISSUER="https://issuer.example"))


def test_an_empty_variable_is_not_set() -> None:
    assert {} == NAMES.from_environment({"SERVICE_ALLOWED_CLIENT_IDS": "", "SERVICE_TYPO": ""})


def test_names_are_case_insensitive_in_the_environment() -> None:
    assert {"leeway": "6"} == NAMES.from_environment({"SERVICE_LEEWAY": "6", "service_leeway": "5"})
    assert {"leeway": "5", "issuer": "x"} == NAMES.from_environment({"service_leeway": "5", "Okta_Issuer": "x"})


@pytest.mark.parametrize(
    ("variable", "name"),
    [(variable, name) for name, info in Settings.model_fields.items() for variable in environment_names(name, info)],
)
def test_every_environment_name_sets_its_setting(variable: str, name: str) -> None:
    assert {name: "x"} == NAMES.from_environment({variable: "x"})


def test_an_unknown_keyword_is_named_with_the_nearest_one() -> None:
    assert [
        "there is no setting 'allowed_clients'; did you mean 'allowed_client_ids'?",
        "there is no setting 'audiences'; did you mean 'audience'?",
    ] == list(NAMES.find_unknown(["audiences", "allowed_clients", "leeway"]))


@pytest.mark.parametrize("value", ['"https://issuer.example"', "'https://issuer.example'", '""', "''"])
@pytest.mark.parametrize("name", ["OKTA_OAUTH2_ISSUER", "service_realm", "OKTA_OAUTH2_CLIENT_SECRET"])
def test_a_value_in_quotes_is_rejected_with_the_reason(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as rejection:
        NAMES.from_environment({name: value})
    reason = "its value is wrapped in quotes, which docker run --env-file passes on; remove the quotes"
    assert (f"{name}: {reason}",) == tuple(rejection.value.problems)
    assert "issuer.example" not in str(rejection.value)


@pytest.mark.parametrize("value", ['"', '"a', "a'", "\"a'", '[{"issuer": "https://issuer.example"}]'])
def test_a_value_with_other_quotes_is_left_as_it_is(value: str) -> None:
    assert {"realm": value} == NAMES.from_environment({"SERVICE_REALM": value})


def test_quotes_in_variables_of_other_programs_do_not_matter() -> None:
    assert {} == NAMES.from_environment({"PS1": '"$ "'})
