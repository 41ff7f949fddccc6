"""Finds out why an issuer rejects our client credentials, by sending them in other ways."""

from __future__ import annotations

import base64
import re
import secrets
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from service.clock import Clock
from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import FormResponse, JSONClient
from service.issuers.client_auth import AuthenticatedRequest, ClientAuthentication
from service.issuers.introspection import IntrospectionEndpoint
from service.operations.doctor.formatting import redact, to_json
from service.settings.issuers import ClientCredentials
from service.tokens import encoding

_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")
_AROUND = " \t\r\n\"'"
_REJECTIONS = frozenset({"invalid_client", "unauthorized_client"})
"""The errors of a 400 that concern the client and not the request (RFC 6749 section 5.2)."""
_VOLATILE = re.compile(r"\S*\d\S*")
"""The words of a description that can differ from one response to the next: times, trace IDs, client IDs."""


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """The response to credentials; two are equal if they probably have the same cause."""

    status: int
    error: str = ""
    pattern: str = ""
    description: str = field(default="", compare=False)

    @property
    def is_accepted(self) -> bool:
        return self.status == 200

    @property
    def is_rejected(self) -> bool:
        return self.status in {401, 403} or (self.status == 400 and self.error in _REJECTIONS)


async def find_cause(
    introspection: IntrospectionEndpoint, credentials: ClientCredentials, *, client: JSONClient, clock: Clock
) -> str | None:
    """Return why an issuer rejects our credentials and what to do, or None if it does not reject them.

    About ten requests are sent, all of them to the endpoint that the credentials are for.
    """
    try:
        trials = _Trials(await introspection.endpoint(), credentials, client=client, clock=clock)
        return await trials.find_cause(await introspection.methods())
    except IssuerUnavailable:
        return None


class _Trials:
    """Sends introspection requests for one invented token with variants of the credentials."""

    def __init__(self, endpoint: str, credentials: ClientCredentials, *, client: JSONClient, clock: Clock) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._secret = credentials.secret.get_secret_value() if credentials.secret else ""
        self._client = client
        self._clock = clock
        self._token = f"made-up-{secrets.token_urlsafe(16)}"

    async def find_cause(self, listed: tuple[str, ...] | None) -> str | None:
        """Return the cause, or None if the credentials are not rejected.

        Args:
            listed: The methods in the metadata, from which the service chooses.
        """
        usable = [method for method in _METHODS if self._allows(method)]
        choice = (method for method in usable if listed is None or method in listed)
        chosen = self._credentials.method or next(choice, None)
        method = chosen or usable[0]
        ours = await self._send(replace(self._credentials, method=method))
        if ours.is_accepted and chosen is None:
            return _other_method(method)
        if not ours.is_rejected:
            return None
        cause = await self._find_other_spelling(method) or await self._find_other_method(usable, used=method)
        return cause or f"{await self._compare(method, ours)}{_quote(ours)}"

    async def _find_other_method(self, usable: Iterable[str], *, used: str) -> str | None:
        for method in usable:
            if method != used and await self._accepts(replace(self._credentials, method=method)):
                return _other_method(method)
        public = replace(self._credentials, secret=None, private_key_file=None, method=None)
        if used != "none" and await self._accepts(public):
            setting = "client_secret" if self._secret else "private_key_file"
            return f"this client is public: remove {setting} and introspection_auth_method, or use another client"
        return None

    async def _find_other_spelling(self, method: str) -> str | None:
        """Return a cause in how the settings, or the service, write the credentials."""
        for name, changed, advice in self._spellings():
            if await self._accepts(replace(changed, method=method)):
                return f"{name} is accepted {advice}"
        if method != "client_secret_basic" or not await self._accepts_raw_basic():
            return None
        cause = "the issuer does not decode the form-encoded secret in Basic (RFC 6749 section 2.3.1)"
        if await self._accepts(replace(self._credentials, method="client_secret_post")):
            return f"{cause}: set introspection_auth_method to client_secret_post"
        return f"{cause}: give the client a secret of letters and digits only"

    def _spellings(self) -> Iterator[tuple[str, ClientCredentials, str]]:
        around = "without the spaces or quotes around it: remove them"
        client_id = self._credentials.client_id
        if (stripped := client_id.strip(_AROUND)) != client_id:
            yield "client_id", replace(self._credentials, client_id=stripped), around
        if (stripped := self._secret.strip(_AROUND)) != self._secret:
            yield "client_secret", self._with_secret(stripped), around
        if (decoded := urllib.parse.unquote_plus(self._secret)) != self._secret:
            yield "client_secret", self._with_secret(decoded), "with its %XX and + decoded: write it decoded"

    async def _compare(self, method: str, ours: _Outcome) -> str:
        """Return what differs from the responses to an invented client and to an invented secret."""
        client = to_json(self._credentials.client_id)
        credentials = replace(self._credentials, method=method)
        if ours == await self._send(replace(credentials, client_id=f"made-up-{secrets.token_hex(8)}")):
            return (
                f"no method is accepted, and {client} gets the response of a client that does not exist: set client_id "
                "and its secret or key to those of a client of this issuer"
            )
        if not self._secret:
            if method == "none":
                return f"{client} is not a public client: set client_secret or private_key_file"
            return f"{client} is a client of this issuer: register the public key of private_key_file for it there"
        if ours != await self._send(replace(self._with_secret(secrets.token_urlsafe(32)), method=method)):
            return f"the credentials are right, but {client} may not introspect: allow that at the issuer"
        return (
            f"{client} is a client of this issuer, but this is not its secret: was it replaced, is it that of another "
            f"client, or has this client a private key? Set client_secret or private_key_file to that of {client}"
        )

    def _allows(self, method: str) -> bool:
        try:
            ClientAuthentication(replace(self._credentials, method=method), clock=self._clock)
        except SettingsError:
            return False
        return True

    async def _accepts(self, credentials: ClientCredentials) -> bool:
        return (await self._send(credentials)).is_accepted

    async def _accepts_raw_basic(self) -> bool:
        pair = f"{self._credentials.client_id}:{self._secret}"
        if pair == urllib.parse.quote_plus(pair, safe=":"):
            return False  # it was sent like this
        header = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return (
            await self._post(AuthenticatedRequest(headers={"Authorization": header}), self._credentials)
        ).is_accepted

    async def _send(self, credentials: ClientCredentials) -> _Outcome:
        authentication = ClientAuthentication(credentials, clock=self._clock)
        return await self._post(authentication.apply(self._endpoint, supported=None), credentials)

    async def _post(self, authenticated: AuthenticatedRequest, credentials: ClientCredentials) -> _Outcome:
        form = {"token": self._token, "token_type_hint": "access_token", **authenticated.form}
        headers = {"Accept": "application/json", **authenticated.headers}
        response = await self._client.post(self._endpoint, form, headers=headers, is_queued=False)
        return _outcome(response, credentials)

    def _with_secret(self, secret: str) -> ClientCredentials:
        return replace(self._credentials, secret=SecretStr(secret))


def _outcome(response: FormResponse, credentials: ClientCredentials) -> _Outcome:
    try:
        document = encoding.decode_json_object(response.body)
    except ValueError:
        return _Outcome(status=response.status)
    # Okta has names of its own for the two members.
    members = (("error", "errorCode"), ("error_description", "errorSummary"))
    sent = [*([credentials.secret.get_secret_value()] if credentials.secret else [])]
    error, description = (redact(str(document.get(name, document.get(other, ""))), sent) for name, other in members)
    pattern = _VOLATILE.sub("…", description)
    return _Outcome(status=response.status, error=error, pattern=pattern, description=description)


def _other_method(method: str) -> str:
    return f"the issuer accepts them as {method}: set introspection_auth_method to {method}"


def _quote(outcome: _Outcome) -> str:
    described = outcome.description or outcome.error
    return f" (the response says {to_json(described)})" if described else ""
