"""Reading an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 1.0 section 3.1.2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import AUTHORIZATION_CODE, IMPLICIT, RESPONSE_TYPES, required_grants
from fakeissuer.model.redirect_uris import is_registered
from fakeissuer.model.servers import Server
from fakeissuer.oauth.scopes import scopes_with_user
from fakeissuer.state.state import IssuerState

RESPONSE_MODES = ("query", "fragment", "form_post", "okta_post_message")
_PROMPTS = frozenset({"none", "login", "consent", "enroll_authenticator"})
_SELECT_ACCOUNT = "select_account"
"""A value of OpenID Connect Core 1.0 section 3.1.2.1 that Okta rejects."""
_CHALLENGE = _THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, kw_only=True)
class ResponseTarget:
    """Where and how the authorization response is sent; error responses are sent there too."""

    issuer: str
    client: Client
    redirect_uri: str
    response_types: frozenset[str]
    response_mode: str
    state: str | None

    @property
    def default_mode(self) -> str:
        """The response mode by default: tokens are never put into a query, which servers log."""
        return "query" if self.response_types <= {"code"} else "fragment"


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """A checked authorization request; ``max_age_s`` is in seconds."""

    server: Server
    target: ResponseTarget
    scopes: tuple[str, ...]
    nonce: str | None
    challenge: str | None
    key_thumbprint: str | None
    prompt: frozenset[str]
    max_age_s: int | None
    login_hint: str
    acr_values: tuple[str, ...]
    request_uri: str | None
    session_token: str = field(repr=False)

    @property
    def requires_sign_in(self) -> bool:
        """Whether the user has to sign in, or to choose a user, despite a session; ``max_age=0`` means the same."""
        return bool({"login", _SELECT_ACCOUNT} & self.prompt) or self.max_age_s == 0

    @property
    def grant_type(self) -> str:
        """The grant type to which the access policy is applied."""
        return AUTHORIZATION_CODE if "code" in self.target.response_types else IMPLICIT


def pushed_parameters(state: IssuerState, server: Server, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the pushed parameters of a ``request_uri``, or ``parameters`` if it is missing (RFC 9126 section 4).

    Raises:
        OAuthError: The ``request_uri`` is unknown, or belongs to another client or server.
    """
    name = parameters.get("request_uri")
    if name is None:
        return parameters
    pushed = state.pushed.get(name, state.clock.now())
    if pushed is None or pushed.server != server.id:
        raise OAuthError(ErrorCase.REQUEST_URI_UNKNOWN)
    if pushed.parameters.get("client_id") != parameters.get("client_id"):
        raise OAuthError(ErrorCase.REQUEST_URI_UNKNOWN)
    return {**pushed.parameters, "request_uri": name}


def read_target(state: IssuerState, issuer: str, parameters: Mapping[str, str]) -> ResponseTarget:
    """Return the target of the authorization response.

    Raises:
        OAuthError: The client is unknown or the redirect URI is not registered for it. Nothing may be sent there: an
            open redirector would send users and codes to an attacker.
    """
    client = state.registry.clients.get(parameters.get("client_id", ""))
    if client is None:
        raise OAuthError(ErrorCase.AUTHORIZE_CLIENT)
    redirect_uri = parameters.get("redirect_uri", "")
    if not is_registered(redirect_uri, client.redirect_uris):
        raise OAuthError(ErrorCase.REDIRECT_UNREGISTERED)
    response_types = frozenset(parameters.get("response_type", "").split())
    return ResponseTarget(
        issuer=issuer,
        client=client,
        redirect_uri=redirect_uri,
        response_types=response_types,
        response_mode=parameters.get("response_mode", ""),
        state=parameters.get("state"),
    )


def check_still_registered(state: IssuerState, request: AuthorizationRequest) -> None:
    """Check that server, client and redirect URI of a pending request are still registered.

    Raises:
        OAuthError: One of them was removed since the request was read.
    """
    if request.server.id not in state.registry.servers:
        raise OAuthError(ErrorCase.NO_SUCH_SERVER, request.server.id)
    client = state.registry.clients.get(request.target.client.id)
    if client is None:
        raise OAuthError(ErrorCase.AUTHORIZE_CLIENT)
    if not is_registered(request.target.redirect_uri, client.redirect_uris):
        raise OAuthError(ErrorCase.REDIRECT_UNREGISTERED)


def read_request(
    state: IssuerState, server: Server, target: ResponseTarget, parameters: Mapping[str, str]
) -> AuthorizationRequest:
    """Read and check an authorization request.

    Raises:
        OAuthError: A parameter is missing, malformed or not allowed; the target gets an error response.
    """
    if not target.state and not state.profile.is_strict:
        raise OAuthError(ErrorCase.STATE_MISSING)
    _check_response(target)
    # OpenID Connect Core 1.0 section 3.2.2.1 requires a nonce for ID tokens, Okta for every token in a redirect.
    needs_nonce = {"id_token"} if state.profile.is_strict else {"id_token", "token"}
    if needs_nonce & target.response_types and not parameters.get("nonce"):
        raise OAuthError(ErrorCase.NONCE_MISSING)
    return AuthorizationRequest(
        server=server,
        target=target,
        scopes=scopes_with_user(server, parameters.get("scope", "")),
        nonce=parameters.get("nonce"),
        challenge=_challenge(target, parameters),
        key_thumbprint=_key_thumbprint(parameters),
        prompt=_prompt(parameters.get("prompt", ""), state),
        max_age_s=_max_age(parameters.get("max_age")),
        login_hint=parameters.get("login_hint", ""),
        acr_values=tuple(parameters.get("acr_values", "").split()),
        request_uri=parameters.get("request_uri"),
        session_token=parameters.get("sessionToken", ""),
    )


def _check_response(target: ResponseTarget) -> None:
    if target.response_types not in RESPONSE_TYPES:
        raise OAuthError(ErrorCase.RESPONSE_TYPE_UNKNOWN)
    if target.response_mode not in (*RESPONSE_MODES, ""):
        raise OAuthError(ErrorCase.RESPONSE_MODE_UNKNOWN)
    if target.response_mode == "query" and target.default_mode != "query":
        raise OAuthError(ErrorCase.RESPONSE_MODE_UNKNOWN)
    if not required_grants(target.response_types) <= set(target.client.grant_types):
        raise OAuthError(ErrorCase.RESPONSE_TYPE_NOT_ALLOWED)


def _challenge(target: ResponseTarget, parameters: Mapping[str, str]) -> str | None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None or (target.client.is_public and "code" in target.response_types):
            raise OAuthError(ErrorCase.CHALLENGE_MISSING)
        return None
    # RFC 7636 section 4.3: a missing method means plain, which reveals the verifier to everyone who sees the request.
    if method != "S256":
        raise OAuthError(ErrorCase.CHALLENGE_METHOD)
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthError(ErrorCase.CHALLENGE_MALFORMED)
    return challenge


def _key_thumbprint(parameters: Mapping[str, str]) -> str | None:
    """Return the thumbprint of the key to which the code is bound (RFC 9449 section 10)."""
    thumbprint = parameters.get("dpop_jkt")
    if thumbprint is not None and not _THUMBPRINT.fullmatch(thumbprint):
        raise OAuthError(ErrorCase.DPOP_KEY_MALFORMED)
    return thumbprint


def _prompt(text: str, state: IssuerState) -> frozenset[str]:
    prompt = frozenset(text.split())
    known = _PROMPTS | {_SELECT_ACCOUNT} if state.profile.is_strict else _PROMPTS
    if not prompt <= known or ("none" in prompt and len(prompt) > 1):
        raise OAuthError(ErrorCase.PROMPT_UNKNOWN)
    return prompt


def _max_age(text: str | None) -> int | None:
    if text is not None and not _SECONDS.fullmatch(text):
        raise OAuthError(ErrorCase.MAX_AGE_MALFORMED)
    return None if text is None else int(text)
