"""The problems of an issuer's settings that appear only when all of them are known."""

from __future__ import annotations

from collections.abc import Iterator

from service.settings.files import check_keys_file
from service.settings.issuers import TrustedIssuer
from service.settings.profiles.mistakes import TENANT_PLACEHOLDER
from service.tokens.issuer_identifier import has_okta_custom_path
from service.urls import is_secure

NO_ISSUER = (
    "issuer: is not set; set OKTA_OAUTH2_ISSUER to https://{your Okta domain}/oauth2/default, "
    "or try the service without an Okta account: python -m service --demo"
)


def find_problems(issuer: TrustedIssuer) -> Iterator[str]:
    """Yield one sentence if tokens of this issuer cannot be validated safely: the setting, the reason, and the fix."""
    is_org = issuer.profile.is_okta_org_server
    yield from _find_location_problems(issuer)
    if issuer.profile.accepts_without_audience and issuer.allowed_client_ids is None:
        yield (
            "accept_tokens_without_audience: without allowed_client_ids, every client of "
            f"{issuer.issuer} could call this API; set allowed_client_ids to the client IDs that may call it"
        )
    if is_org and (issuer.validation in {"jwt", "hybrid"} or (issuer.validation == "auto" and issuer.client is None)):
        yield (
            f"issuer: {issuer.issuer} is an Okta org server, whose tokens only Okta can validate; set "
            "OKTA_OAUTH2_CLIENT_ID and OKTA_OAUTH2_CLIENT_SECRET and use introspection, or use a custom authorization "
            f"server, such as {issuer.issuer}/oauth2/default"
        )
    elif issuer.validation in {"introspection", "hybrid"} and issuer.client is None:
        yield (
            f"client_id: is not set, but {issuer.validation} validation must authenticate to {issuer.issuer}; "
            "set OKTA_OAUTH2_CLIENT_ID and OKTA_OAUTH2_CLIENT_SECRET"
        )
    elif issuer.audiences or issuer.profile.accepts_without_audience:
        return
    elif is_org:
        yield (
            "audience: is not set; the tokens of an Okta org server have the org as their audience, "
            f"so set OKTA_OAUTH2_AUDIENCE={issuer.issuer}"
        )
    elif issuer.profile.server.lacks_audience:
        yield (
            f"audience: is not set, and the access tokens of {issuer.profile.server.name} have none; set profile = "
            f'"{issuer.profile.server.name}" and allowed_client_ids to accept the tokens of those clients'
        )
    else:
        is_like_okta = has_okta_custom_path(issuer.issuer)
        profile = ', or profile = "okta" if it is an Okta org under a domain of its own' if is_like_okta else ""
        yield (
            f"audience: is not set, so tokens for any API of {issuer.issuer} would be accepted; "
            f"set OKTA_OAUTH2_AUDIENCE to the aud claim of your tokens{profile}"
        )


def _find_location_problems(issuer: TrustedIssuer) -> Iterator[str]:
    locations = issuer.locations
    for name, url in locations.urls.items():
        if TENANT_PLACEHOLDER in url:
            yield f"{name}: {TENANT_PLACEHOLDER} stands for a tenant, but the issuer has none; write the tenant there"
    if locations.keys_file is not None:
        try:
            check_keys_file(locations.keys_file)
        except ValueError as exc:
            yield f"keys_file: {exc}"
        if locations.jwks_uri is not None:
            yield "keys_file: is set together with jwks_uri; the keys have one source, so leave one of the two out"
    if locations.introspection_endpoint is not None and issuer.client is None:
        yield (
            f"introspection_endpoint: is set, but client_id is not, and the service must authenticate to "
            f"{locations.introspection_endpoint}; set client_id, or leave the endpoint out"
        )
    if issuer.is_discovered and not locations.accepts_http and not is_secure(issuer.issuer):
        missing = "introspection_endpoint" if locations.has_keys else "jwks_uri or keys_file"
        yield (
            f"issuer: {issuer.issuer} is not an https URL, so no metadata can be fetched from there; "
            f"set {missing}, or metadata_url"
        )
