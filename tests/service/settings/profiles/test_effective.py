from __future__ import annotations

from typing import Any

import pydantic
import pytest

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings, TrustedIssuer
from service.settings.profiles.effective import default_audience
from service.settings.program import Settings
from service.tokens.claim_names import ClaimNames

REJECTED = (pydantic.ValidationError, SettingsError)
FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
COGNITO = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
ADFS = "https://fs.example.com/adfs"
VANITY = "https://login.example.com/oauth2/default"


def _trusted(**table: Any) -> tuple[TrustedIssuer, ...]:
    return Settings(issuers=(IssuerSettings(**table),)).trusted_issuers


def test_a_profile_that_is_set_names_the_claims() -> None:
    (issuer,) = _trusted(issuer="https://sso.example.com", audience=("a",), profile="keycloak")
    assert (False, "realm_access.roles") == (issuer.profile.is_recognised, issuer.profile.names.roles)


def test_a_profile_is_recognised_and_the_settings_override_it() -> None:
    (issuer,) = _trusted(
        issuer="https://sso.example.com/realms/one",
        audience=("a",),
        client_id_claims=("azp",),
        scope_claims=("permissions", "scope"),
        groups_claim="https://example.com/groups",
        roles_claim="resource_access.my-api.roles",
    )
    assert issuer.profile.is_recognised
    assert "keycloak, recognised from the issuer: client in azp" in str(issuer.profile)
    assert issuer.profile.names == ClaimNames(
        client_id=("azp",),
        scopes=("permissions", "scope"),
        groups="https://example.com/groups",
        roles="resource_access.my-api.roles",
    )


def test_an_issuer_without_a_profile_has_the_common_names() -> None:
    (issuer,) = _trusted(issuer="https://issuer.example", audience=("a",))
    assert ("generic", ClaimNames()) == (issuer.profile.server.name, issuer.profile.names)
    (issuer,) = _trusted(issuer="https://issuer.example/realms/one", audience=("a",), profile="generic")
    assert ClaimNames() == issuer.profile.names


def test_access_tokens_of_adfs_have_an_issuer_of_their_own() -> None:
    (issuer,) = _trusted(issuer=ADFS, audience=("a",))
    assert (ADFS, "http://fs.example.com/adfs/services/trust") == (issuer.issuer, issuer.profile.token_issuer)
    assert "access tokens of the issuer http://fs.example.com/adfs/services/trust" in str(issuer.profile)
    (issuer,) = _trusted(issuer=ADFS, audience=("a",), access_token_issuer="urn:federation:example")
    assert "urn:federation:example" == issuer.profile.token_issuer


def test_two_issuers_with_the_same_issuer_of_tokens_are_rejected() -> None:
    """The keys of the one would validate tokens in the name of the other."""
    other = IssuerSettings(
        issuer="https://other.example", audience=("a",), access_token_issuer="https://issuer.example"
    )
    with pytest.raises(REJECTED, match="twice"):
        Settings(issuer="https://issuer.example", audience=("a",), issuers=(other,))


def test_the_template_of_entra_gives_one_issuer_for_each_tenant() -> None:
    issuers = _trusted(
        issuer="https://login.microsoftonline.com/{tenantid}/v2.0", audience=("a",), tenants=(FIRST, SECOND)
    )
    assert [f"https://login.microsoftonline.com/{tenant}/v2.0" for tenant in (FIRST, SECOND)] == [
        issuer.issuer for issuer in issuers
    ]
    assert all(issuer.profile.server.requires_client for issuer in issuers)


def test_both_versions_of_entra_stand_side_by_side() -> None:
    tables = (
        IssuerSettings(issuer=f"https://login.microsoftonline.com/{FIRST}/v2.0", audience=(SECOND,)),
        IssuerSettings(issuer=f"https://sts.windows.net/{FIRST}/", audience=("api://orders", "api://orders/")),
    )
    assert ["entra", "entra"] == [issuer.profile.server.name for issuer in Settings(issuers=tables).trusted_issuers]


def test_tokens_without_an_audience_are_accepted_from_allowed_clients_only() -> None:
    (issuer,) = _trusted(issuer=COGNITO, profile="cognito", allowed_client_ids=("app",))
    assert issuer.profile.accepts_without_audience
    assert not issuer.audiences
    for values in ({"profile": "cognito"}, {"accept_tokens_without_audience": True, "audience": ("a",)}):
        with pytest.raises(REJECTED, match=r"every client of .* could call this API"):
            _trusted(issuer=COGNITO, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"audience": ("a",), "profile": "cognito"},
        {"audience": ("a",)},
        {"audience": ("a",), "profile": "cognito", "accept_tokens_without_audience": False},
    ],
)
def test_an_audience_that_is_set_is_required(values: dict[str, Any]) -> None:
    (issuer,) = _trusted(issuer=COGNITO, allowed_client_ids=("app",), **values)
    assert not issuer.profile.accepts_without_audience


def test_a_profile_that_is_only_recognised_makes_no_check_less_strict() -> None:
    with pytest.raises(REJECTED, match='set profile = "cognito" and allowed_client_ids'):
        _trusted(issuer=COGNITO, allowed_client_ids=("app",))


@pytest.mark.parametrize(
    ("issuer", "profile", "audience"),
    [
        ("https://dev-123456.okta.com/oauth2/default", None, ("api://default",)),
        ("https://dev-123456.okta.com", None, ()),
        (VANITY, None, ()),
        (VANITY, "okta", ("api://default",)),
        ("https://dev-123456.okta.com/oauth2/default", "generic", ()),
        ("https://dev-123456.okta.com/oauth2/default", "misspelt", ()),
        ("https://issuer.example", None, ()),
        ("https://[::1", None, ()),
    ],
)
def test_only_okta_custom_servers_have_a_default_audience(
    issuer: str, profile: str | None, audience: tuple[str, ...]
) -> None:
    assert audience == default_audience(issuer, profile)


def test_the_org_url_stands_for_the_profile_of_okta() -> None:
    settings = Settings(org_url="https://login.example.com")
    assert (VANITY, "okta", ("api://default",)) == (settings.issuer, settings.profile, settings.audience)


def test_the_profile_is_suggested_for_an_issuer_that_is_spelt_like_those_of_okta() -> None:
    with pytest.raises(REJECTED, match='or profile = "okta" if it is an Okta org'):
        _trusted(issuer=VANITY)
    with pytest.raises(REJECTED, match="aud claim of your tokens") as exc_info:
        _trusted(issuer="https://login.example.com")
    assert "profile" not in str(exc_info.value)


def test_an_okta_org_server_on_a_custom_domain_is_introspected() -> None:
    with pytest.raises(REJECTED, match="is an Okta org server"):
        _trusted(issuer="https://login.example.com", audience=("a",), profile="okta")
