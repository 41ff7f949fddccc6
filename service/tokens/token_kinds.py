"""The marks that tell other tokens from access tokens (RFC 8725 sections 3.11 and 3.12, RFC 9068 section 5).

An issuer signs ID tokens, refresh tokens, logout tokens and authorization responses with the keys of its access
tokens, and where the audience is the client ID, only these marks distinguish them.
``nonce`` is not a mark: access tokens of Dex, Casdoor, authentik and older Keycloak releases have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens.claim_rules import ClaimRules, Claims, shorten
from service.tokens.jose_header import JOSEHeader

HASHES_SETTING = "insecure_accept_id_token_hashes"
"""The setting under which a hash is not a mark."""

_ACCESS_TOKEN_TYPES = frozenset({"", "jwt", "at+jwt", "jose"})
"""Header types; ``""`` stands for a missing one. ``JWT`` and ``JOSE`` do not name a kind of token."""
_STRICT_TYPES = frozenset({"at+jwt"})

_ACCESS_TOKEN_NAMES = frozenset({"bearer", "dpop", "jwt", "at+jwt", "access", "access_token", "accesstoken"})
_ID_TOKEN_NAMES = frozenset({"id", "id_token", "idtoken"})
_OTHER_NAMES = _ID_TOKEN_NAMES | {"refresh", "refresh_token", "refreshtoken", "offline", "logout", "logout_token"}
_TYPE_PREFIX = "urn:ietf:params:oauth:token-type:"  # RFC 8693 section 3


class Mark(NamedTuple):
    """A claim, or a member of an introspection response, that may identify a token of another kind."""

    claim: str
    kind: str
    """The kind of token that the mark identifies, with its article."""
    identifies: Callable[[object, Claims], bool]
    """Returns whether a value of the claim, together with the other claims, identifies that kind."""
    is_hash: bool = False
    """Whether :data:`HASHES_SETTING` lifts the mark."""


def _is_present(_value: object, _claims: Claims) -> bool:
    return True


def _is_other_than_access_token(value: object, _claims: Claims) -> bool:
    return not isinstance(value, str) or _comparable(value) not in _ACCESS_TOKEN_NAMES


def _names_another_kind(value: object, _claims: Claims) -> bool:
    return isinstance(value, str) and _comparable(value) in _OTHER_NAMES


def _is_type_of_another_kind(value: object, claims: Claims) -> bool:
    is_at_cloudflare = str(claims.get("iss")).endswith(".cloudflareaccess.com")
    return (is_at_cloudflare and value == "org") or _names_another_kind(value, claims)


def _is_okta_id(value: object, _claims: Claims) -> bool:
    return isinstance(value, str) and value.startswith("ID.")


def _has_no_scope(_value: object, claims: Claims) -> bool:
    return "scope" not in claims and "scp" not in claims


def _is_response_with_state(_value: object, claims: Claims) -> bool:
    return "state" in claims


def _is_response_with_code(_value: object, claims: Claims) -> bool:
    # Access tokens of Gluu have a code too; a response without state has no other claim than iss, aud and exp.
    return "state" in claims or claims.keys().isdisjoint({"sub", "scope", "scp", "client_id"})


_ANOTHER = "another kind of token"
_ID = "an ID token"
_SET = "a logout token or another security event token"
_RESPONSE = "an authorization response"

MARKS: tuple[Mark, ...] = (
    Mark("typ", _ANOTHER, _is_other_than_access_token),  # Keycloak: Bearer and DPoP, or ID, Refresh, Offline, Logout
    Mark("token_use", _ANOTHER, _is_other_than_access_token),  # Cognito; Dex and Hydra in responses
    Mark("token_type", _ANOTHER, _is_other_than_access_token),  # RFC 7662 section 2.2, PingAM
    Mark("tokenName", _ANOTHER, _is_other_than_access_token),  # PingAM
    Mark("tokenType", _ANOTHER, _is_other_than_access_token),  # Casdoor
    Mark("TokenType", _ANOTHER, _is_other_than_access_token),  # Casdoor's refresh tokens with custom claims
    Mark("purpose", _ANOTHER, _names_another_kind),  # Curity; a word that others use for claims of their own
    Mark("type", _ANOTHER, _is_type_of_another_kind),  # Cloudflare Access; as above
    Mark("jti", _ID, _is_okta_id),
    Mark("at_hash", _ID, _is_present, is_hash=True),  # OpenID Connect Core 1.0 section 3.3.2.11
    Mark("c_hash", _ID, _is_present, is_hash=True),
    Mark("s_hash", _ID, _is_present, is_hash=True),  # Financial-grade API 1.0, part 2, section 5.1
    Mark("ds_hash", _ID, _is_present, is_hash=True),  # Okta's hash of the device secret
    Mark("urn:openid:params:jwt:claim:rt_hash", _ID, _is_present, is_hash=True),  # OpenID CIBA section 10.3.1
    Mark("urn:openid:params:jwt:claim:auth_req_id", _ID, _is_present),  # as above
    Mark("granted_scopes", "a refresh token", _has_no_scope),  # Cloud Foundry UAA
    Mark("events", _SET, _is_present),  # RFC 8417 section 2.2, OpenID Connect Back-Channel Logout 1.0 section 2.4
    Mark("token_introspection", "an introspection response", _is_present),  # RFC 9701 section 5
    Mark("response", _RESPONSE, _is_present),
    Mark("code", _RESPONSE, _is_response_with_code),  # JARM section 2.1
    Mark("access_token", _RESPONSE, _is_response_with_state),
    Mark("id_token", _RESPONSE, _is_response_with_state),
    Mark("error", _RESPONSE, _is_response_with_state),
)
"""The table of all marks; it applies to the claims of a JWT and to an introspection response alike."""

_MARKS = {mark.claim: mark for mark in MARKS}


def check_type(header: JOSEHeader, rules: ClaimRules) -> None:
    """Reject a JWT whose type is not that of an access token (RFC 8725 section 3.11, RFC 9068 section 4).

    Okta sends no ``typ`` and many issuers send ``JWT``, so these are accepted unless RFC 9068 is required.
    """
    accepted = _STRICT_TYPES if rules.requires_rfc9068 else _ACCESS_TOKEN_TYPES
    if header.typ in accepted:
        return
    if header.is_of_okta_org_token:
        detail = "a token of an Okta org server, which only Okta can validate; use a custom authorization server"
    else:
        typ = header.parameters.get("typ", "")
        detail = f"expected {' or '.join(filter(None, sorted(accepted)))}, found {shorten(typ)}"
    raise InvalidToken(Reason.UNSUPPORTED_TYPE, detail, claim="typ")


def check_kind(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token of another kind, which the same issuer signs but which grants no access (RFC 9068 section 5).

    An ID token of Entra or authentik has no mark, but does not name its client either, as their access tokens do.
    One of Zitadel names it, and differs by claims that other issuers put into access tokens, too.
    Does not detect a token without any mark, such as signed userinfo or the ID tokens of other issuers.
    """
    for name in claims:
        if name in _MARKS:
            mark = _MARKS[name]
            if mark.identifies(claims[name], claims) and not (mark.is_hash and rules.accepts_id_token_hashes):
                _reject(mark, claims[name])
    for name in rules.id_token_claims:
        if name in claims:
            raise InvalidToken(Reason.ID_TOKEN, f"expected an access token, found an ID token: {name}", claim=name)
    if rules.requires_client and not rules.names.has_client_id(claims):
        client = " and no ".join(rules.names.client_id)
        raise InvalidToken(Reason.ID_TOKEN, f"expected an access token, found an ID token: no {client}", claim="aud")


def describe_accepted_hashes(claims: Claims, rules: ClaimRules) -> str:
    """Return which marks of a token are lifted by the settings, or "" if none is."""
    hashes = [name for name in claims if name in _MARKS and _MARKS[name].is_hash]
    if not hashes or not rules.accepts_id_token_hashes:
        return ""
    return f"{' and '.join(hashes)} accepted, since {HASHES_SETTING} is set; an ID token has the same claims"


def _reject(mark: Mark, value: object) -> None:
    is_id_token = mark.kind == _ID or (isinstance(value, str) and _comparable(value) in _ID_TOKEN_NAMES)
    raise InvalidToken(
        Reason.ID_TOKEN if is_id_token else Reason.UNSUPPORTED_TYPE,
        f"expected an access token, found {_ID if is_id_token else mark.kind}: {mark.claim} = {shorten(value)}",
        claim=mark.claim,
        setting=HASHES_SETTING if mark.is_hash else "",
    )


def _comparable(name: str) -> str:
    """Return the name of a kind in one spelling: ``access_token`` for ``Access-Token`` and for its URI."""
    return name.lower().removeprefix("application/").removeprefix(_TYPE_PREFIX).replace("-", "_")
