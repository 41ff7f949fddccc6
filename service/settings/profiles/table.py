"""The table of authorization servers: what each of them calls its claims, and how its issuer is recognised."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from service.tokens.claim_names import DEFAULT_NAMES, ClaimNames
from service.tokens.issuer_identifier import OKTA_HOST, is_okta_custom_server


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerProfile:
    """What is particular to one kind of authorization server.

    A profile that is only recognised never makes a check less strict: ``lacks_audience`` has no effect then.

    Args:
        name: The value of the setting ``profile``.
        names: The claims of client, scopes, groups and roles.
        issuer_pattern: Matches host and path of the issuers that are recognised; "" if none is.
        has_final_slash: Whether the issuers end with a slash; None if that depends on the installation.
        lacks_audience: Whether the access tokens have no ``aud``.
        requires_client: Whether each access token names its client, and no ID token does.
        id_token_claims: Claims of each ID token that no access token has.
    """

    name: str
    names: ClaimNames = DEFAULT_NAMES
    issuer_pattern: str = ""
    has_final_slash: bool | None = None
    lacks_audience: bool = False
    requires_client: bool = False
    id_token_claims: tuple[str, ...] = ()


_ROWS = (
    ServerProfile(name="generic"),
    ServerProfile(
        name="okta",
        names=ClaimNames(client_id=("client_id", "cid")),  # introspection renames cid
        issuer_pattern=rf"{OKTA_HOST}(/.*)?",
        has_final_slash=False,
    ),
    ServerProfile(
        name="auth0",
        # `permissions` is what the user may do, whatever was granted to the client, so it must not replace `scope`.
        names=ClaimNames(client_id=("client_id", "azp"), scopes=("scope",), roles="permissions"),
        issuer_pattern=r"[^/]+\.auth0\.com/?",
        has_final_slash=True,
        requires_client=True,
    ),
    ServerProfile(
        name="entra",
        names=ClaimNames(client_id=("azp", "appid"), scopes=("scp",)),
        issuer_pattern=r"(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn"
        r"|sts\.windows\.net|sts\.chinacloudapi\.cn)/.*",
        requires_client=True,
    ),
    ServerProfile(
        name="keycloak",
        # A mapper for service accounts adds `client_id`, which a token exchange leaves as it was.
        names=ClaimNames(client_id=("azp",), scopes=("scope",), roles="realm_access.roles"),
        issuer_pattern=r"[^/]+(/.*)?/realms/[^/]+(/(protocol/.*)?)?",
        has_final_slash=False,
    ),
    ServerProfile(
        name="cognito",
        names=ClaimNames(client_id=("client_id",), scopes=("scope",), groups="cognito:groups", roles="cognito:groups"),
        issuer_pattern=r"cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^/]+/?",
        has_final_slash=False,
        lacks_audience=True,
    ),
    ServerProfile(
        name="google",
        names=ClaimNames(client_id=("azp",)),
        issuer_pattern=r"accounts\.google\.com/?",
        has_final_slash=False,
    ),
    ServerProfile(
        name="adfs",
        names=ClaimNames(client_id=("appid",), scopes=("scp",)),
        issuer_pattern=r"[^/]+/adfs(/services/trust)?/?",
        has_final_slash=False,
    ),
    ServerProfile(
        name="zitadel",
        names=ClaimNames(client_id=("client_id", "azp"), roles="urn:zitadel:iam:org:project:roles"),
        issuer_pattern=r"[^/]+\.zitadel\.cloud/?",
        has_final_slash=False,
        # The audience of both kinds is the project.
        id_token_claims=("nonce", "auth_time", "amr"),
    ),
    ServerProfile(
        name="authentik",
        # `client_id` in an introspection response is the client that introspects.
        names=ClaimNames(client_id=("azp",), roles="groups"),
        issuer_pattern=r"[^/]+/application/o/[^/]+/?",
        has_final_slash=True,
        requires_client=True,
    ),
    ServerProfile(
        name="hydra",
        names=ClaimNames(client_id=("client_id",), scopes=("scp", "scope"), groups="ext.groups", roles="ext.roles"),
        requires_client=True,
    ),
)

PROFILES: Mapping[str, ServerProfile] = {row.name: row for row in _ROWS}
"""The profiles by name; without one, and unless the issuer is recognised, an issuer has the first."""


def recognise(issuer: str) -> ServerProfile | None:
    """Return the profile of an issuer whose host or path only one kind of server has, or None."""
    try:
        if is_okta_custom_server(issuer):
            return PROFILES["okta"]
        parts = urllib.parse.urlsplit(issuer)
    except ValueError:  # not a URL; the check of the issuer reports it
        return None
    place = f"{parts.hostname or ''}{parts.path}"
    return next((row for row in _ROWS if row.issuer_pattern and re.fullmatch(row.issuer_pattern, place)), None)
