"""Client authentication, checked for real (RFC 6749 section 2.3, RFC 7523 section 2.2).

By Basic, by the form, by an assertion, or just a name for public clients.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.model.clients import AuthMethod, Client
from fakeissuer.oauth.assertions import Assertion, Flaw, check_assertion, flawed, read_assertion
from fakeissuer.state.state import State

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientCredentials:
    """How a request says which client sends it; without a repr, for a secret is in it.

    In Basic the secret is form-encoded, so that `secret` is what it stands for; `secret_as_sent` is what was written.
    """

    method: AuthMethod
    client_id: str
    secret: str = ""
    secret_as_sent: str = ""
    assertion: Assertion | None = None


def authenticate(state: State, credentials: ClientCredentials, endpoint_url: str) -> Client:
    """Return the client that the credentials prove; an assertion has to be meant for the endpoint that was called.

    Raises:
        Refused: the client is unknown, is registered for another method, or secret or assertion is wrong.
    """
    client = state.directory.clients.get(credentials.client_id)
    if client is None and credentials.assertion is not None:
        raise flawed(Flaw.SUBJECT)
    if client is None:
        is_400 = state.profile.unknowns.unknown_client_status == 400
        raise Refused(Problem.UNKNOWN_CLIENT_400 if is_400 else Problem.UNKNOWN_CLIENT)
    if credentials.method not in client.auth_methods:
        # A confidential client that sends only its name has forgotten its secret, which is the likelier mistake.
        raise Refused(Problem.NO_CLIENT_CREDENTIALS if credentials.method == "none" else Problem.WRONG_METHOD)
    if credentials.assertion is not None:
        check_assertion(credentials.assertion, client, endpoint_url, state.clock.now(), state.replays)
    elif not _is_secret(client.secret or "", credentials):
        raise Refused(Problem.WRONG_SECRET)
    return client


def _is_secret(expected: str, credentials: ClientCredentials) -> bool:
    # Both are compared, whatever comes of the first: the time that it takes tells nothing.
    is_meant = hmac.compare_digest(expected.encode(), credentials.secret.encode())
    is_written = hmac.compare_digest(expected.encode(), credentials.secret_as_sent.encode())
    return is_meant or is_written


def read_credentials(
    authorization: list[str], form: Mapping[str, str], query: Mapping[str, str], *, is_strict: bool = False
) -> ClientCredentials:
    """Return the credentials that a request presents, in exactly one way; strictly, Basic names a secret too.

    Raises:
        Refused: there are none, they come in two ways or in the URL, or Basic cannot be decoded.
    """
    if query.keys() & {"client_secret", "client_assertion"}:
        raise Refused(Problem.SECRET_IN_QUERY)
    in_form = form.keys() & {"client_secret", "client_assertion"}
    if len(authorization) > 1 or (authorization and in_form) or len(in_form) > 1:
        raise Refused(Problem.TWO_METHODS)
    if authorization:
        return _read_basic(authorization[0], form.get("client_id"), is_strict=is_strict)
    if "client_assertion" in form:
        return _read_assertion(form)
    client_id = form.get("client_id") or query.get("client_id")
    if not client_id:
        raise Refused(Problem.NO_CLIENT_CREDENTIALS)
    if "client_secret" in form:
        return ClientCredentials(method="client_secret_post", client_id=client_id, secret=form["client_secret"])
    return ClientCredentials(method="none", client_id=client_id)


def _read_assertion(form: Mapping[str, str]) -> ClientCredentials:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refused(Problem.ASSERTION_TYPE)
    assertion = read_assertion(form["client_assertion"])
    client_id = assertion.unverified_client_id
    if form.get("client_id", client_id) != client_id:
        raise Refused(Problem.TWO_METHODS)
    return ClientCredentials(method=assertion.method, client_id=client_id, assertion=assertion)


def _read_basic(field: str, also_named: str | None, *, is_strict: bool) -> ClientCredentials:
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic":
        raise Refused(Problem.NO_CLIENT_CREDENTIALS)
    try:
        client_id, colon, as_sent = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as exc:
        raise Refused(Problem.BASIC_MALFORMED) from exc
    # Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1), which most clients forget: a
    # secret with a plus or a percent sign is then one that stands for itself.
    client_id, secret = unquote_plus(client_id), unquote_plus(as_sent)
    if not client_id or (is_strict and not colon):
        raise Refused(Problem.BASIC_MALFORMED)
    if also_named is not None and also_named != client_id:
        raise Refused(Problem.TWO_METHODS)
    if not colon:  # so Okta's own library for browsers names a public client when it revokes
        return ClientCredentials(method="none", client_id=client_id)
    return ClientCredentials(method="client_secret_basic", client_id=client_id, secret=secret, secret_as_sent=as_sent)
