"""The problems of an issuer's settings that appear only when all of them are known."""

from __future__ import annotations

from collections.abc import Iterator

from service.settings.issuers import TrustedIssuer
from service.tokens.issuer_identifier import has_okta_custom_path

NO_ISSUER = (
    "issuer: is not set; set OKTA_OAUTH2_ISSUER to https://{your Okta domain}/oauth2/default, "
    "or try the service without an Okta account: python -m service --demo"
)


def find_problems(issuer: TrustedIssuer) -> Iterator[str]:
    """Yield one sentence if tokens of this issuer cannot be validated safely: the setting, the reason, and the fix."""
    is_org = issuer.profile.is_okta_org_server
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
