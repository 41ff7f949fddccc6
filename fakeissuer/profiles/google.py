"""Google: ID tokens of service accounts, which Cloud Run and its callers use as access tokens.

Google's own access tokens are opaque, and only Google can check them.
"""

from __future__ import annotations

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import document, hashes, lifetime, nonce_of, number
from fakeissuer.profiles.profile import Metadata, Profile

_DIGITS = 21

_LAYOUT = Layout(
    issuer="{part}",
    root_server="default",
    endpoints={
        # At Google these are on other hosts than the issuer; only the discovery document has them.
        "authorize": "{part}/o/oauth2/v2/auth",
        "token": "{part}/token",
        "userinfo": "{part}/v1/userinfo",
        "revoke": "{part}/revoke",
        "device": "{part}/device/code",
        "keys": "{part}/oauth2/v3/certs",
    },
)


def _subject(user: User) -> str:
    return number(user.login, _DIGITS)


def _access_token(grant: Grant) -> Claims:
    """Return the claims of an ID token for an API: its audience is the URL of the API, and it has no scope."""
    account = _subject(grant.user) if grant.user else number(grant.client_id, _DIGITS)
    email = grant.user.email if grant.user else f"{grant.client_id}@project.iam.gserviceaccount.com"
    claims: Claims = {"aud": grant.server.audience, "azp": account, "email": email, "email_verified": True}
    return claims | lifetime(grant) | {"iss": grant.issuer, "sub": account} | grant.custom_claims


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    claims: Claims = {"iss": grant.issuer, "azp": grant.client_id, "aud": grant.client_id, "sub": _subject(user)}
    claims |= {"email": user.email, "email_verified": user.email_verified, **hashes(access_token, code)}
    return claims | nonce_of(grant) | {"name": user.name, **lifetime(grant)} | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_basic"])


PROFILES = {
    "google": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        audiences={"default": "https://api.example.com", "partner": "https://partner.example.com"},
    )
}
