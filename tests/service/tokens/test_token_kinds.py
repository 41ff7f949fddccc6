from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.claim_rules import ClaimRules
from service.tokens.jose_header import JOSEHeader
from service.tokens.token_kinds import (
    HASHES_SETTING,
    MARKS,
    check_kind,
    check_type,
    describe_accepted_hashes,
)

NOW = 1_700_000_000
RULES = ClaimRules(issuer="https://issuer.example", audiences=frozenset({"api://default"}))
DEX_RULES = dataclasses.replace(RULES, accepts_id_token_hashes=True)
STRICT = dataclasses.replace(RULES, requires_rfc9068=True)
COMMON: dict[str, Any] = {"iss": "https://issuer.example", "aud": "client", "sub": "a", "exp": NOW + 60, "iat": NOW}

ACCESS_TOKENS: dict[str, dict[str, Any]] = {
    "Okta": {"ver": 1, "jti": "AT.abc", "cid": "0oa1", "uid": "00u1", "scp": ["openid"], "auth_time": NOW},
    "Auth0": {"azp": "client", "scope": "openid", "permissions": ["read"], "gty": "password", "org_id": "org_1"},
    "Entra v1": {"ver": "1.0", "appid": "x", "appidacr": "1", "tid": "t", "oid": "o", "scp": "read", "uti": "u"},
    "Entra v2": {"ver": "2.0", "azp": "x", "azpacr": "1", "tid": "t", "oid": "o", "roles": ["r"], "idtyp": "app"},
    "Keycloak": {"typ": "Bearer", "azp": "client", "session_state": "s", "sid": "s", "acr": "1", "scope": "openid"},
    "an old Keycloak": {"typ": "bearer", "nonce": "n", "auth_time": NOW},
    "Cognito": {"token_use": "access", "client_id": "c", "scope": "api/read", "cognito:groups": ["g"], "username": "a"},
    "Casdoor": {"tokenType": "access-token", "azp": "client", "nonce": "", "owner": "o", "isAdmin": False},
    "PingAM": {"tokenName": "access_token", "token_type": "Bearer", "cts": "OAUTH2_STATELESS_GRANT", "realm": "/"},
    "Curity": {"purpose": "access_token", "delegationId": "d", "scope": "read"},
    "Cloudflare Access": {"type": "app", "identity_nonce": "n", "email": "a@example.com", "country": "DE"},
    "authentik": {"nonce": "n", "auth_time": NOW, "acr": "a", "amr": ["pwd"], "sid": "s", "azp": "client", "uid": "u"},
    "Zitadel": {"client_id": "c", "urn:zitadel:iam:org:project:roles": {"admin": {"1": "x"}}},
    "Ory Hydra": {"client_id": "c", "scp": ["read"], "ext": {"typ": "ID"}, "nbf": NOW},
    "Duende": {"client_id": "c", "scope": ["read"], "idp": "local", "amr": ["pwd"]},
    "FusionAuth": {"applicationId": "c", "roles": [], "tid": "t", "authenticationType": "PASSWORD"},
    "WSO2": {"aut": "APPLICATION_USER", "azp": "c", "client_id": "c", "scope": "openid", "binding_type": "cookie"},
    "Clerk": {"azp": "https://site.example", "v": 2, "sts": "active", "sid": "s", "o": {"id": "org"}},
    "Kubernetes": {"kubernetes.io": {"namespace": "default"}, "sub": "system:serviceaccount:default:a"},
    "GitHub Actions": {"repository": "o/r", "ref_type": "branch", "environment": "production"},
    "Firebase": {"user_id": "a", "auth_time": NOW, "email": "a@example.com", "firebase": {"identities": {}}},
    "Django's simplejwt": {"token_type": "access", "user_id": 1},
    "UAA": {"cid": "c", "scope": ["read"], "granted_scopes": ["read"], "grant_type": "password", "rev_sig": "x"},
    "Gluu": {"code": "2f1c", "token_type": "bearer", "client_id": "c", "scope": ["read"]},
    "a response of WSO2": {"token_type": "JWT"},
    "a response of Dex": {"token_use": "access_token", "token_type": "bearer", "ext": {}},
    "a response of Duende": {"token_type": "access_token"},
    "a token type of RFC 8693": {"token_type": "urn:ietf:params:oauth:token-type:access_token"},
    "the address of a user": {"state": "CA", "address": {"state": "CA"}},
    "the code of a department": {"code": "12"},
    "claims with common names": {"type": "user", "purpose": "billing", "error": "none", "access_token": "x"},
}


@pytest.mark.parametrize("claims", ACCESS_TOKENS.values(), ids=ACCESS_TOKENS.keys())
def test_an_access_token_of_a_real_issuer_is_accepted(claims: dict[str, Any]) -> None:
    check_kind(COMMON | claims, RULES, NOW)


OTHER_TOKENS: dict[str, tuple[dict[str, Any], Reason, str | None]] = {
    "an ID token of Okta": ({"jti": "ID.abc"}, Reason.ID_TOKEN, "jti"),
    "an ID token with at_hash": ({"at_hash": "x"}, Reason.ID_TOKEN, "at_hash"),
    "an ID token with c_hash": ({"c_hash": "x"}, Reason.ID_TOKEN, "c_hash"),
    "an ID token with s_hash": ({"s_hash": "x"}, Reason.ID_TOKEN, "s_hash"),
    "an ID token with ds_hash": ({"ds_hash": "x"}, Reason.ID_TOKEN, "ds_hash"),
    "an ID token of CIBA": ({"urn:openid:params:jwt:claim:auth_req_id": "x"}, Reason.ID_TOKEN, None),
    "an ID token of Keycloak": ({"typ": "ID"}, Reason.ID_TOKEN, "typ"),
    "a refresh token of Keycloak": ({"typ": "Refresh"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "an offline token of Keycloak": ({"typ": "Offline"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "a logout token of Keycloak": ({"typ": "Logout"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "a session of Keycloak": ({"typ": "Serialized-ID"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "a registration token of Keycloak": ({"typ": "RegistrationAccessToken"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "an action token of Keycloak": ({"typ": "reset-credentials"}, Reason.UNSUPPORTED_TYPE, "typ"),
    "an ID token of Cognito": ({"token_use": "id"}, Reason.ID_TOKEN, "token_use"),
    "a refresh token of Hydra": ({"token_use": "refresh_token"}, Reason.UNSUPPORTED_TYPE, "token_use"),
    "a refresh token by its type": ({"token_type": "Refresh"}, Reason.UNSUPPORTED_TYPE, "token_type"),
    "an ID token by its type": ({"token_type": "id_token"}, Reason.ID_TOKEN, "token_type"),
    "an ID token by the type of RFC 8693": (
        {"token_type": "urn:ietf:params:oauth:token-type:id_token"},
        Reason.ID_TOKEN,
        "token_type",
    ),
    "no access token, by the type of RFC 8693": ({"token_type": "N_A"}, Reason.UNSUPPORTED_TYPE, "token_type"),
    "a type that is a list": ({"token_type": ["Bearer"]}, Reason.UNSUPPORTED_TYPE, "token_type"),
    "a use that is a list": ({"token_use": ["access"]}, Reason.UNSUPPORTED_TYPE, "token_use"),
    "a payload type that is null": ({"typ": None}, Reason.UNSUPPORTED_TYPE, "typ"),
    "a refresh token of PingAM": ({"tokenName": "refresh_token"}, Reason.UNSUPPORTED_TYPE, "tokenName"),
    "a refresh token of Casdoor": ({"tokenType": "refresh-token"}, Reason.UNSUPPORTED_TYPE, "tokenType"),
    "a custom refresh token of Casdoor": (
        {"tokenType": "access-token", "TokenType": "refresh-token"},
        Reason.UNSUPPORTED_TYPE,
        "TokenType",
    ),
    "an ID token of Curity": ({"purpose": "id"}, Reason.ID_TOKEN, "purpose"),
    "a refresh token of simplejwt": ({"type": "refresh"}, Reason.UNSUPPORTED_TYPE, "type"),
    "a refresh token of UAA": ({"granted_scopes": ["read"]}, Reason.UNSUPPORTED_TYPE, "granted_scopes"),
    "a session of Cloudflare": (
        {"iss": "https://team.cloudflareaccess.com", "type": "org"},
        Reason.UNSUPPORTED_TYPE,
        "type",
    ),
    "a logout token": (
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "s"},
        Reason.UNSUPPORTED_TYPE,
        "events",
    ),
    "an authorization response": ({"code": "x", "state": "y"}, Reason.UNSUPPORTED_TYPE, "code"),
    "an authorization response with a token": ({"access_token": "x", "state": "y"}, Reason.UNSUPPORTED_TYPE, None),
    "an authorization response with an ID token": ({"id_token": "x", "state": "y"}, Reason.UNSUPPORTED_TYPE, None),
    "an authorization response with an error": ({"error": "x", "state": "y"}, Reason.UNSUPPORTED_TYPE, "error"),
    "a response inside": ({"response": "x"}, Reason.UNSUPPORTED_TYPE, "response"),
    "an introspection response": ({"token_introspection": {}}, Reason.UNSUPPORTED_TYPE, "token_introspection"),
}


@pytest.mark.parametrize(("claims", "reason", "claim"), OTHER_TOKENS.values(), ids=OTHER_TOKENS.keys())
def test_a_token_of_another_kind_is_rejected(claims: dict[str, Any], reason: Reason, claim: str | None) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_kind(COMMON | claims, RULES, NOW)
    assert (reason, claim or next(iter(claims))) == (exc_info.value.reason, exc_info.value.claim)


def test_an_authorization_response_without_state_is_rejected() -> None:
    response = {"iss": "https://issuer.example", "aud": "client", "exp": NOW + 60, "code": "x"}
    with pytest.raises(InvalidToken, match="authorization response"):
        check_kind(response, RULES, NOW)
    check_kind(response | {"scope": "read"}, RULES, NOW)  # an access token of Gluu without a user


HASHES = [mark.claim for mark in MARKS if mark.is_hash]


@pytest.mark.parametrize("name", HASHES)
def test_the_setting_lifts_the_hashes_and_nothing_else(name: str) -> None:
    claims = COMMON | {name: "x"}
    with pytest.raises(InvalidToken) as exc_info:
        check_kind(claims, RULES, NOW)
    assert HASHES_SETTING == exc_info.value.setting
    assert HASHES_SETTING in str(exc_info.value)
    check_kind(claims, DEX_RULES, NOW)
    with pytest.raises(InvalidToken) as exc_info:
        check_kind(claims | {"typ": "ID"}, DEX_RULES, NOW)
    assert "" == exc_info.value.setting


def test_the_accepted_hashes_are_described_if_the_setting_lifts_them() -> None:
    claims = COMMON | {"at_hash": "x", "c_hash": "y"}
    assert "" == describe_accepted_hashes(claims, RULES)
    assert "" == describe_accepted_hashes(COMMON, DEX_RULES)
    described = describe_accepted_hashes(claims, DEX_RULES)
    assert described.startswith(f"at_hash and c_hash accepted, since {HASHES_SETTING} is set")


def test_the_detail_shortens_the_value_of_a_mark() -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_kind(COMMON | {"events": "s" * 500}, RULES, NOW)
    assert len(str(exc_info.value)) < 300


_texts = st.text() | st.sampled_from(["Bearer", "ID", "access_token", "ID.1"])
_values = st.none() | st.booleans() | st.integers() | _texts | st.lists(st.text()) | st.dictionaries(_texts, _texts)


@given(st.dictionaries(st.sampled_from([*(mark.claim for mark in MARKS), "state", "sub", "iss"]), _values))
def test_any_claims_are_accepted_or_rejected(claims: dict[str, Any]) -> None:
    try:
        check_kind(claims, RULES, NOW)
    except InvalidToken as exc:
        assert exc.claim in claims  # noqa: PT017  # either outcome is allowed
    else:
        assert not {*HASHES, "events", "response", "token_introspection"} & claims.keys()


@pytest.mark.parametrize(
    "header", [{}, *({"typ": typ} for typ in ("JWT", "jwt", "JOSE", "at+jwt", "application/AT+JWT"))]
)
def test_types_of_access_tokens_are_accepted(header: dict[str, Any]) -> None:
    check_type(JOSEHeader.of(header), RULES)


@pytest.mark.parametrize(
    "typ",
    [
        *("JWS", "id_token", "id_token+jwt", "Refresh", "Bearer", None, 1, ["at+jwt"], "", "application/", " "),
        *("logout+jwt", "application/Logout+JWT", "secevent+jwt", "dpop+jwt", "rt+jwt", "token-introspection+jwt"),
        *("oauth-authz-req+jwt", "oauth-id-jag+jwt", "entity-statement+jwt", "application/okta-internal-at+jwt"),
    ],
)
def test_other_types_are_rejected(typ: object) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_type(JOSEHeader.of({"typ": typ}), RULES)
    assert Reason.UNSUPPORTED_TYPE is exc_info.value.reason


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}])
def test_the_rfc9068_profile_requires_its_type(header: dict[str, Any]) -> None:
    check_type(JOSEHeader.of({"typ": "application/at+jwt"}), STRICT)
    with pytest.raises(InvalidToken) as exc_info:
        check_type(JOSEHeader.of(header), STRICT)
    assert Reason.UNSUPPORTED_TYPE is exc_info.value.reason


def test_the_detail_names_the_token_of_an_okta_org_server() -> None:
    with pytest.raises(InvalidToken, match="Okta org server"):
        check_type(JOSEHeader.of({"typ": "application/okta-internal-at+jwt"}), RULES)


def test_an_id_token_of_an_issuer_is_known_by_claims_that_its_access_tokens_lack() -> None:
    rules = dataclasses.replace(RULES, id_token_claims=("nonce", "amr"))
    check_kind(COMMON, rules, NOW)
    for name in ("nonce", "amr"):
        with pytest.raises(InvalidToken) as exc_info:
            check_kind({**COMMON, name: "x"}, rules, NOW)
        assert (Reason.ID_TOKEN, name) == (exc_info.value.reason, exc_info.value.claim)


@pytest.mark.parametrize("claims", [ACCESS_TOKENS["Entra v1"], ACCESS_TOKENS["Entra v2"], ACCESS_TOKENS["authentik"]])
def test_an_id_token_without_a_mark_is_known_by_its_missing_client(claims: dict[str, Any]) -> None:
    """Where the audience of an API is a client ID, as at Entra, only the client distinguishes the two kinds."""
    rules = dataclasses.replace(RULES, requires_client=True)
    check_kind(COMMON | claims, rules, NOW)
    with pytest.raises(InvalidToken) as exc_info:
        check_kind(COMMON | {"nonce": "n", "ver": "2.0", "tid": "t"}, rules, NOW)
    assert Reason.ID_TOKEN is exc_info.value.reason
    check_kind(COMMON | {"nonce": "n"}, RULES, NOW)
