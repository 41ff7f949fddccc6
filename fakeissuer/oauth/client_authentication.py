"""Client authentication (RFC 6749 section 2.3, RFC 7523 section 2.2).

The methods are Basic, form parameters and assertions; a public client only sends its id.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.clients import AuthMethod, Client
from fakeissuer.oauth.assertions import Assertion, AssertionProblem, assertion_rejected, check_assertion, read_assertion
from fakeissuer.state.state import IssuerState

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientCredentials:
    """The client credentials of a request, without a repr because they contain a secret.

    Basic form-encodes the secret: ``secret`` is the decoded one, ``secret_as_sent`` the encoded one.
    """

    method: AuthMethod
    client_id: str
    secret: str = ""
    secret_as_sent: str = ""
    assertion: Assertion | None = None


def authenticate(state: IssuerState, credentials: ClientCredentials, endpoint_url: str) -> Client:
    """Return the authenticated client; an assertion must have the URL of the endpoint as its audience.

    Raises:
        OAuthError: The client is unknown, is registered for another method, or its secret or assertion is wrong.
    """
    client = state.registry.clients.get(credentials.client_id)
    if client is None and credentials.assertion is not None:
        raise assertion_rejected(AssertionProblem.SUBJECT)
    if client is None:
        is_400 = state.profile.variants.unknown_client_status == 400
        raise OAuthError(ErrorCase.UNKNOWN_CLIENT_400 if is_400 else ErrorCase.UNKNOWN_CLIENT)
    if credentials.method not in client.auth_methods:
        # For a confidential client that sends only its id, a missing secret is the likelier mistake.
        raise OAuthError(ErrorCase.NO_CLIENT_CREDENTIALS if credentials.method == "none" else ErrorCase.WRONG_METHOD)
    if credentials.assertion is not None:
        check_assertion(credentials.assertion, client, endpoint_url, state.clock.now(), state.used_jtis)
    elif not _is_secret(client.secret or "", credentials, decodes_basic=state.profile.variants.decodes_basic):
        raise OAuthError(ErrorCase.WRONG_SECRET)
    return client


def _is_secret(expected: str, credentials: ClientCredentials, *, decodes_basic: bool) -> bool:
    # Both are always compared, so that the time reveals nothing about the secret.
    matches_decoded = hmac.compare_digest(expected.encode(), credentials.secret.encode())
    matches_raw = hmac.compare_digest(expected.encode(), credentials.secret_as_sent.encode())
    is_basic = credentials.method == "client_secret_basic"
    return matches_raw or (matches_decoded and (decodes_basic or not is_basic))


def read_credentials(
    authorization: list[str], form: Mapping[str, str], query: Mapping[str, str], *, is_strict: bool = False
) -> ClientCredentials:
    """Return the client credentials of a request; with ``is_strict`` Basic must contain a secret.

    Raises:
        OAuthError: Credentials are missing, sent by two methods or in the URL, or Basic cannot be decoded.
    """
    if query.keys() & {"client_secret", "client_assertion"}:
        raise OAuthError(ErrorCase.SECRET_IN_QUERY)
    in_form = form.keys() & {"client_secret", "client_assertion"}
    if len(authorization) > 1 or (authorization and in_form) or len(in_form) > 1:
        raise OAuthError(ErrorCase.TWO_METHODS)
    if authorization:
        return _read_basic(authorization[0], form.get("client_id"), is_strict=is_strict)
    if "client_assertion" in form:
        return _read_assertion(form)
    client_id = form.get("client_id") or query.get("client_id")
    if not client_id:
        raise OAuthError(ErrorCase.NO_CLIENT_CREDENTIALS)
    if "client_secret" in form:
        return ClientCredentials(method="client_secret_post", client_id=client_id, secret=form["client_secret"])
    return ClientCredentials(method="none", client_id=client_id)


def _read_assertion(form: Mapping[str, str]) -> ClientCredentials:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError(ErrorCase.ASSERTION_TYPE)
    assertion = read_assertion(form["client_assertion"])
    client_id = assertion.unverified_client_id
    if form.get("client_id", client_id) != client_id:
        raise OAuthError(ErrorCase.TWO_METHODS)
    return ClientCredentials(method=assertion.method, client_id=client_id, assertion=assertion)


def _read_basic(field: str, form_client_id: str | None, *, is_strict: bool) -> ClientCredentials:
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic":
        raise OAuthError(ErrorCase.NO_CLIENT_CREDENTIALS)
    try:
        client_id, colon, secret_as_sent = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as exc:
        raise OAuthError(ErrorCase.BASIC_MALFORMED) from exc
    # Id and secret are form-encoded (RFC 6749 section 2.3.1). Most clients omit that, so a secret with a plus or a
    # percent sign is accepted as sent, too.
    client_id, secret = unquote_plus(client_id), unquote_plus(secret_as_sent)
    if not client_id or (is_strict and not colon):
        raise OAuthError(ErrorCase.BASIC_MALFORMED)
    if form_client_id is not None and form_client_id != client_id:
        raise OAuthError(ErrorCase.TWO_METHODS)
    if not colon:  # Okta's library for browsers sends the id of a public client this way when it revokes
        return ClientCredentials(method="none", client_id=client_id)
    return ClientCredentials(
        method="client_secret_basic", client_id=client_id, secret=secret, secret_as_sent=secret_as_sent
    )
