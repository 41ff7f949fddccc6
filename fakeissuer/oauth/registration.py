"""Client metadata (RFC 7591 section 2): read for a registration, and returned in the response."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fakeissuer.errors import InvalidRequestError, OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.public_keys import KeySet
from fakeissuer.model.clients import AuthMethod, Client
from fakeissuer.model.grant_types import AUTHORIZATION_CODE, REDIRECT_GRANTS, RESPONSE_TYPES, required_grants
from fakeissuer.model.identifiers import derived_id, random_text
from fakeissuer.model.records import read_members, to_record
from fakeissuer.model.redirect_uris import ANY_PORT, check_redirect_uris


class ClientMetadata(msgspec.Struct, kw_only=True):
    """The metadata of a client; unknown members are ignored (RFC 7591 section 2)."""

    client_name: str = "A registered client"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ("code",)
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE,)
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105  # the name of a method
    application_type: Literal["web", "native", "browser", "service"] = "web"
    jwks: KeySet | None = None
    dpop_bound_access_tokens: bool = False


def registered_client(body: bytes, now: int, previous: Client | None = None) -> Client:
    """Return the client with this metadata; ``previous`` keeps its id, secret and time of registration.

    Raises:
        OAuthError: The metadata is malformed or contradictory.
    """
    try:
        metadata = to_record(read_members(body), ClientMetadata)
    except InvalidRequestError as exc:
        raise OAuthError(ErrorCase.METADATA_INVALID, "a member is missing or of a wrong type") from exc
    if not all(frozenset(response_type.split()) in RESPONSE_TYPES for response_type in metadata.response_types):
        raise OAuthError(ErrorCase.METADATA_INVALID, "a response type is none that is answered")
    _check_redirects(metadata)
    method = metadata.token_endpoint_auth_method
    members: dict[str, Any] = {
        "id": derived_id("0oa", random_text()) if previous is None else previous.id,
        "name": metadata.client_name,
        "secret": _secret(previous) if method.startswith("client_secret") else None,
        "jwks": metadata.jwks,
        "dpop_bound_access_tokens": metadata.dpop_bound_access_tokens,
        "auth_methods": [method],
        "grant_types": metadata.grant_types,
        "redirect_uris": metadata.redirect_uris,
        "post_logout_redirect_uris": metadata.post_logout_redirect_uris,
        "response_types": metadata.response_types,
        "issued_at": now if previous is None else previous.issued_at,
    }
    try:
        return to_record(members, Client)
    except InvalidRequestError as exc:
        raise OAuthError(ErrorCase.METADATA_INVALID, "its name, a grant or its key set is not fit for one") from exc


def with_new_secret(client: Client) -> Client:
    """Return a client with a new secret.

    Raises:
        OAuthError: The client has no secret.
    """
    if client.secret is None:
        raise OAuthError(ErrorCase.NOT_VALID, "the client has no secret")
    return msgspec.structs.replace(client, secret=random_text())


def registration_without_secret(client: Client, started_at: int) -> dict[str, Any]:
    """Return the client information response without the secret, which is returned only once."""
    response = registration_response(client, started_at)
    return {name: value for name, value in response.items() if not name.startswith("client_secret")}


def registration_response(client: Client, started_at: int) -> dict[str, Any]:
    """Return the client information response (RFC 7591 section 3.2.1), members in Okta's order.

    A client that did not register itself counts as registered at ``started_at``.
    """
    issued_at = started_at if client.issued_at is None else client.issued_at
    response: dict[str, Any] = {"client_id": client.id, "client_id_issued_at": issued_at}
    if client.secret is not None:
        response |= {"client_secret": client.secret, "client_secret_expires_at": 0}
    response |= {
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "response_types": _usable_response_types(client),
        "grant_types": list(client.grant_types),
        "token_endpoint_auth_method": client.auth_methods[0],
    }
    return response if client.jwks is None else {**response, "jwks": client.jwks}


def _check_redirects(metadata: ClientMetadata) -> None:
    if REDIRECT_GRANTS & set(metadata.grant_types) and not metadata.redirect_uris:
        raise OAuthError(ErrorCase.REDIRECT_INVALID)
    # Wildcard ports are only for clients of the configuration: an attacker could register here, too.
    if any(uri.endswith(ANY_PORT) for uri in (*metadata.redirect_uris, *metadata.post_logout_redirect_uris)):
        raise OAuthError(ErrorCase.REDIRECT_INVALID)
    try:
        check_redirect_uris("redirect_uris", metadata.redirect_uris)
        check_redirect_uris("post_logout_redirect_uris", metadata.post_logout_redirect_uris)
    except ValueError as exc:
        raise OAuthError(ErrorCase.REDIRECT_INVALID) from exc


def _secret(previous: Client | None) -> str:
    return random_text() if previous is None or previous.secret is None else previous.secret


def _usable_response_types(client: Client) -> list[str]:
    # A client that did not register itself has the response types of its grants.
    response_types = ("code", "id_token", "token") if client.response_types is None else client.response_types
    grants = set(client.grant_types)
    return [
        response_type for response_type in response_types if required_grants(frozenset(response_type.split())) <= grants
    ]
