"""Finds out why an issuer rejects our client credentials, by sending them in other ways."""

from __future__ import annotations

import base64
import contextlib
import secrets
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import SecretStr

from service.clock import Clock
from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import FormResponse, JSONClient
from service.issuers.client_auth import AuthenticatedRequest, ClientAuthentication
from service.operations.doctor.formatting import redact, to_json
from service.settings.issuers import ClientCredentials
from service.tokens import encoding

_SECRET_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
_QUOTES = " \t\r\n\"'"
_REJECTIONS = frozenset({"invalid_client", "unauthorized_client"})
"""The errors of a 400 that concern the client and not the request (RFC 6749 section 5.2)."""
_SEVERAL_CAUSES = (
    "no other method accepts them either: is {client} a client of this issuer, is this its current secret or key and "
    "not that of another client, and is it registered for an introspection_auth_method that these credentials allow?"
)


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """The part of a response that depends on the cause of a rejection, without the client ID that was sent."""

    status: int
    error: str = ""
    description: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.status == 200

    @property
    def is_rejected(self) -> bool:
        return self.status in {401, 403} or (self.status == 400 and self.error in _REJECTIONS)


async def find_cause(endpoint: str, credentials: ClientCredentials, *, client: JSONClient, clock: Clock) -> str | None:
    """Return the cause of a rejection of our credentials with its remedy, or None if they are not the cause.

    At most ten requests are sent, all of them to the endpoint that the credentials are for.
    """
    trials = _Trials(endpoint, credentials, client=client, clock=clock)
    with contextlib.suppress(IssuerUnavailable):
        return await trials.find_cause()
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

    async def find_cause(self) -> str | None:
        ours = await self._send(self._credentials)
        if ours is None or not (ours.is_rejected or ours.is_accepted):
            return None
        if (cause := await self._find_other_spelling() or await self._find_other_method()) is not None:
            return cause
        return f"{await self._compare(ours)}{_quote(ours)}"

    async def _find_other_spelling(self) -> str | None:
        """Return a cause in how the settings, or the request, write the credentials."""
        for name, changed, advice in self._spellings():
            if await self._accepts(changed):
                return f"{name} is accepted {advice}"
        if self._credentials.method not in {None, "client_secret_basic"} or not await self._accepts_raw_basic():
            return None
        cause = "the issuer does not decode the secret in Basic, which is form-encoded (RFC 6749 section 2.3.1): "
        if await self._accepts(replace(self._credentials, method="client_secret_post")):
            return f"{cause}set introspection_auth_method to client_secret_post"
        return f"{cause}give the client a secret of letters and digits only"

    def _spellings(self) -> Iterator[tuple[str, ClientCredentials, str]]:
        client_id = self._credentials.client_id
        if (stripped := client_id.strip(_QUOTES)) != client_id:
            yield (
                "client_id",
                replace(self._credentials, client_id=stripped),
                "without the spaces or quotes around it: remove them",
            )
        if (stripped := self._secret.strip(_QUOTES)) != self._secret:
            yield "client_secret", self._with_secret(stripped), "without the spaces or quotes around it: remove them"
        if (decoded := urllib.parse.unquote_plus(self._secret)) != self._secret:
            yield "client_secret", self._with_secret(decoded), "when its %XX and + are decoded: write it decoded"

    async def _find_other_method(self) -> str | None:
        for method in _SECRET_METHODS:
            if self._secret and await self._accepts(replace(self._credentials, method=method)):
                return f"the issuer accepts them as {method}: set introspection_auth_method to {method}"
        public = replace(self._credentials, secret=None, private_key_file=None, method=None)
        if public != self._credentials and await self._accepts(public):
            setting = "client_secret" if self._secret else "private_key_file"
            return f"this client is public: remove {setting}, or use a client that has one"
        return None

    async def _compare(self, ours: _Outcome) -> str:
        """Return the cause that the responses to an invented client and to an invented secret leave over."""
        client = to_json(self._credentials.client_id)
        invented = f"made-up-{secrets.token_hex(8)}"
        unknown = await self._send(replace(self._credentials, client_id=invented))
        wrong = await self._send(self._with_secret(secrets.token_urlsafe(32))) if self._secret else None
        if wrong is not None and ours.status == 403 and wrong.status != 403:
            return f"the credentials are right, but {client} may not introspect: allow that at the issuer"
        if ours == unknown and wrong is not None and ours != wrong:
            return f"this issuer has no client {client}: set client_id and its secret to those of a client of this issuer"
        if ours != unknown and ours == wrong:
            return (
                f"{client} is a client of this issuer, but client_secret is not its secret: was it replaced, is it that "
                "of another client, or does this client authenticate with a private key? Set client_secret or "
                f"private_key_file to that of {client}"
            )
        return _SEVERAL_CAUSES.format(client=client)

    async def _accepts(self, credentials: ClientCredentials) -> bool:
        outcome = await self._send(credentials)
        return outcome is not None and outcome.is_accepted

    async def _accepts_raw_basic(self) -> bool:
        pair = f"{self._credentials.client_id}:{self._secret}"
        if not self._secret or pair == urllib.parse.quote_plus(pair, safe=":"):
            return False  # it was sent like this
        header = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return (await self._post(AuthenticatedRequest(headers={"Authorization": header}), self._credentials)).is_accepted

    async def _send(self, credentials: ClientCredentials) -> _Outcome | None:
        """Return the outcome of a request, or None if the credentials do not allow their method."""
        try:
            authentication = ClientAuthentication(credentials, clock=self._clock)
        except SettingsError:
            return None
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
    secret = credentials.secret.get_secret_value() if credentials.secret else ""
    # Okta has names of its own for the two members.
    error = document.get("error", document.get("errorCode", ""))
    description = document.get("error_description", document.get("errorSummary", ""))
    texts = (redact(str(text), [secret]).replace(credentials.client_id, "…") for text in (error, description))
    return _Outcome(response.status, *texts)


def _quote(outcome: _Outcome) -> str:
    described = outcome.description or outcome.error
    return f" (the issuer reports {to_json(described)})" if described else ""
