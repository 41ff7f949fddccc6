"""Recognises what people confuse most often: similar issuers, audiences, and tokens that are not for this API."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult

from service.tokens.issuer_identifier import find_mistakes, find_tenant, is_okta_custom_server, is_okta_host

_GRAPH = frozenset({"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"})
_FOR_ENTRA = "the client must request a scope of this API, such as api://(application ID)/.default"
_WITHOUT_AUDIENCE_AT_AUTH0 = "Auth0 issues such a token if the client's request has no audience: the client must add it"

_AUDIENCES_OF = {
    "cognito": "access tokens of Cognito name only their client, and no aud",
    "entra": "Entra writes the application ID of the API into tokens of version 2, and into those of version 1 the "
    "form that the client requested, such as api://(application ID), with or without a slash; audience may list both",
    "keycloak": "Keycloak writes account, or no audience, until a client scope has a mapper of the type Audience: add "
    "one that includes this API, and the client scope to the client",
}


def describe_issuer_difference(seen: str, trusted: str) -> str:
    """Return the difference of an issuer from a similar trusted one; empty if they are equal or not similar."""
    try:
        ours, theirs = urllib.parse.urlsplit(trusted), urllib.parse.urlsplit(seen)
        same_host = (theirs.hostname, theirs.port) == (ours.hostname, ours.port)
    except ValueError:  # the token may contain any text
        return ""
    tenant = find_tenant(seen)
    if tenant is not None and tenant == find_tenant(trusted) and not same_host:
        return (
            f"it is of the same Entra tenant, {tenant}, but of the other version: the manifest of the API decides the "
            f"version (accessTokenAcceptedVersion), and not the client; set issuer to {seen}, or add a table to issuers"
        )
    same_path = theirs.path.rstrip("/").lower() == ours.path.rstrip("/").lower() != ""
    if not (same_host or same_path or theirs.hostname == ours.hostname) or seen == trusted:
        return ""
    return "; ".join(_differences(theirs, ours)) or "the spelling differs"


def _differences(theirs: SplitResult, ours: SplitResult) -> Iterator[str]:
    if theirs.path == f"{ours.path}/services/trust":
        yield "ADFS writes another issuer into access tokens than into its metadata: set profile to adfs"
        return
    if theirs.scheme != ours.scheme:
        yield (
            f"it begins with {theirs.scheme}:// instead of {ours.scheme}://, as at an issuer behind a proxy that "
            "does not know its public URL: set that URL at the issuer"
        )
    if theirs.netloc.lower() != ours.netloc.lower():
        yield f"it is on another host, {theirs.netloc} instead of {ours.netloc}{_explain_host(ours)}"
    yield from _path_differences(theirs.path, ours)
    if (theirs.netloc, theirs.path) != (ours.netloc, ours.path) and (theirs.netloc + theirs.path).lower() == (
        ours.netloc + ours.path
    ).lower():
        yield "upper and lower case differ"


def _explain_host(ours: SplitResult) -> str:
    if is_okta_host(ours.geturl()):
        return ": another Okta org, or the same one under its other domain, since tokens name that of the token request"
    return (
        ": an issuer that is reached by two names, such as Keycloak in a container, writes that of the token request; "
        "set issuer to the name in the tokens, and metadata_url to the document at the name that this service reaches"
    )


def _path_differences(path: str, ours: SplitResult) -> Iterator[str]:
    bare, expected = path.rstrip("/").lower(), ours.path.rstrip("/").lower()
    if bare == expected:
        if path.endswith("/") != ours.path.endswith("/"):
            yield ("an extra slash at the end" if path.endswith("/") else "a missing slash at the end")
    elif bare == "" and is_okta_custom_server(ours.geturl()):
        yield "it is the org server of that Okta org instead of a custom authorization server"
    elif "/realms/" in ours.path and "/realms/" not in path:
        yield f"it has no realm, which the issuers of Keycloak end with: {ours.path}"
    elif path.startswith("/oauth2/"):
        yield f"it is another authorization server there, {path!r} instead of {ours.path!r}"
    else:
        yield f"the path is {path!r} instead of {ours.path!r}"


def explain_audience(claims: Mapping[str, Any], *, profile: str) -> str:
    """Return the probable cause of an audience that is not accepted; empty if it is not known."""
    return next(_audience_causes(claims, profile), "")


def _audience_causes(claims: Mapping[str, Any], profile: str) -> Iterator[str]:
    aud = claims.get("aud")
    audiences = {str(value).rstrip("/") for value in (aud if isinstance(aud, list) else [aud])}
    if profile == "entra" and audiences & _GRAPH:
        yield f"the token is for Microsoft Graph, and not for this API: {_FOR_ENTRA}"
    if profile == "adfs" and "urn:microsoft:userinfo" in audiences:
        yield "ADFS issues this audience if the client's request has no resource: the client must add it"
    if profile == "auth0" and any(audience.endswith("/userinfo") for audience in audiences):
        yield _WITHOUT_AUDIENCE_AT_AUTH0
    if profile in _AUDIENCES_OF:
        yield _AUDIENCES_OF[profile]


def explain_signature(header: Mapping[str, Any], *, profile: str) -> str:
    """Return the probable cause of a bad signature."""
    if profile == "entra" and "nonce" in header:
        cause = "a token with nonce in its header is for Microsoft Graph or SharePoint, which alone can verify it"
        return f"{cause}: {_FOR_ENTRA}"
    return "the token was changed after it was signed, or it is forged: request a new one"


def advise_on_document_issuer(named: str, expected: str, *, profile: str) -> str:
    """Return what to do about metadata of another issuer, such as one that has two domains."""
    if find_mistakes(named):
        return "that issuer name is invalid; correct the settings of the issuer"
    difference = describe_issuer_difference(named, expected)
    because = f"{difference}; " if difference else ""
    at_okta = (
        ". At Okta, the setting Issuer of the authorization server (issuerMode ORG_URL, CUSTOM_URL or DYNAMIC) "
        "determines the domain: choose the other one there"
    )
    return (
        f"{because}if tokens have that issuer too, set issuer to {named}; if they have the issuer of the settings all "
        "the same, set metadata_url to the URL by which this service reaches the document"
        f"{at_okta if profile == 'okta' else ''}"
    )


def explain_opaque(text: str, *, profile: str, parts: int) -> str:
    """Return why a text may be no JWT, and what to do about it."""
    if parts == 5:
        if profile == "auth0":
            return f"five parts are an encrypted token; {_WITHOUT_AUDIENCE_AT_AUTH0}"
        return "five parts are an encrypted token, which is not supported; configure the issuer to sign its tokens only"
    if text.startswith("ya29."):
        return "access tokens of Google are for Google's own APIs only: send an ID token whose audience is this API"
    causes = f"{_WITHOUT_AUDIENCE_AT_AUTH0}; otherwise " if profile == "auth0" else ""
    return (
        f"{causes}the token is opaque: only its issuer can introspect it, so set client_id and client_secret, and "
        "validation to auto; or is it no access token? (refresh tokens and authorization codes are no JWTs)"
    )


def explain_absent_document(issuer: str, *, profile: str) -> str:
    """Return the probable cause of a discovery document that is not found."""
    path = urllib.parse.urlsplit(issuer).path
    if profile == "okta":
        return "is the URL right? At Okta, there is no authorization server with that ID, or it is not active"
    if profile == "keycloak" or (profile == "generic" and path in {"", "/", "/auth"}):
        return (
            "is the URL right? The issuers of Keycloak end with /realms/(name), before release 17 with "
            "/auth/realms/(name); for a document elsewhere set metadata_url, or jwks_uri if there is none"
        )
    return "is the URL right? For a document elsewhere set metadata_url, or jwks_uri if there is none"
