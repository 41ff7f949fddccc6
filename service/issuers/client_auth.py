"""How we tell an authorization server who we are (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from service.clock import Clock
from service.errors import SettingsError
from service.settings.issuers import ClientCredentials

ASSERTION_LIFETIME = 300
"""Seconds; Okta refuses more than an hour, and an assertion is used at once."""
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MIN_HMAC_SECRET_LENGTH = 32
"""Bytes of a secret that signs with HS256 (RFC 7518 section 3.2)."""
_ALGORITHM_BY_CURVE = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticatedRequest:
    """What a request carries to say who sends it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """A private key, the algorithm that goes with it, and the name under which the server knows it."""

    key: Any = field(repr=False)
    alg: str
    kid: str | None = None


class ClientAuthentication:
    """Proves to an authorization server which client we are.

    The method is the one that is set, or the first of those we have credentials for that the server offers.

    Args:
        credentials: Who we are.
        clock: Dates the assertions.

    Raises:
        SettingsError: The private key cannot be read, or the method that is set lacks what it needs.
    """

    def __init__(self, credentials: ClientCredentials, *, clock: Clock) -> None:
        self._client_id = credentials.client_id
        self._secret = credentials.secret.get_secret_value() if credentials.secret else ""
        self._clock = clock
        path = credentials.private_key_file
        self._key = None if path is None else read_private_key(Path(path))
        self._methods = self._usable_methods(credentials.method)

    def apply(self, endpoint: str, *, supported: Iterable[str] | None) -> AuthenticatedRequest:
        """Return what proves to an endpoint who we are.

        Args:
            offered: The methods that the server's metadata names; None where it names none, which means
                ``client_secret_basic`` (RFC 8414 section 2).

        Raises:
            ValueError: The server offers no method that we have credentials for.
        """
        accepted = set(self._methods if supported is None else supported)
        for name, method in self._methods.items():
            if name in accepted:
                return method(endpoint)
        raise ValueError(f"it offers {', '.join(sorted(accepted))}, and we can do {', '.join(self._methods)}")

    def _usable_methods(self, chosen: str | None) -> dict[str, Callable[[str], AuthenticatedRequest]]:
        if self._key is not None:
            usable: dict[str, Callable[[str], AuthenticatedRequest]] = {"private_key_jwt": self._private_key_jwt}
        elif self._secret:
            usable = {"client_secret_basic": self._basic, "client_secret_post": self._post}
            if len(self._secret.encode()) >= _MIN_HMAC_SECRET_LENGTH:
                usable["client_secret_jwt"] = self._secret_jwt
        else:
            usable = {"none": self._none}
        if chosen is None:
            return usable
        if chosen not in usable:
            raise SettingsError(
                [f"introspection_auth_method: was {chosen!r}; the credentials are good for {_join_or(usable)}"]
            )
        return {chosen: usable[chosen]}

    def _basic(self, _endpoint: str) -> AuthenticatedRequest:
        # Form-encoded before they are joined (RFC 6749 section 2.3.1): a colon in the id would move the border.
        pair = f"{urllib.parse.quote_plus(self._client_id)}:{urllib.parse.quote_plus(self._secret)}"
        return AuthenticatedRequest(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})

    def _post(self, _endpoint: str) -> AuthenticatedRequest:
        return AuthenticatedRequest(form={"client_id": self._client_id, "client_secret": self._secret})

    def _none(self, _endpoint: str) -> AuthenticatedRequest:
        return AuthenticatedRequest(form={"client_id": self._client_id})

    def _secret_jwt(self, endpoint: str) -> AuthenticatedRequest:
        return self._assertion(endpoint, SigningKey(key=self._secret, alg="HS256"))

    def _private_key_jwt(self, endpoint: str) -> AuthenticatedRequest:
        assert self._key is not None  # noqa: S101  # the method is only offered with a key
        return self._assertion(endpoint, self._key)

    def _assertion(self, endpoint: str, key: SigningKey) -> AuthenticatedRequest:
        now = int(self._clock.now())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": endpoint,  # the endpoint that is called: at another one, the assertion is worth nothing
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        headers = {"kid": key.kid} if key.kid else None
        signed = jwt.encode(claims, key.key, algorithm=key.alg, headers=headers)
        return AuthenticatedRequest(form={"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed})


def read_private_key(path: Path) -> SigningKey:
    """Return the key in a file: PEM without a password, or a JWK, as Okta's console gives either.

    Raises:
        SettingsError: The file cannot be read, or holds no private key that signs with RS256 or ES256 to ES512.
    """
    try:
        data = path.read_bytes()
        key, kid = _from_jwk(data) if data.lstrip().startswith(b"{") else (load_pem_private_key(data, None), None)
    except OSError as exc:
        raise SettingsError([f"private_key_file: {path}: {exc.strerror}"]) from exc
    except Exception as exc:  # noqa: BLE001  # a parser's own words may quote the key
        problem = f"private_key_file: {path} holds no private key in PEM (without a password) or as a JWK"
        raise SettingsError([f"{problem}: {type(exc).__name__}"]) from None
    if isinstance(key, RSAPrivateKey):
        return SigningKey(key=key, alg="RS256", kid=kid)
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _ALGORITHM_BY_CURVE:
        return SigningKey(key=key, alg=_ALGORITHM_BY_CURVE[key.curve.name], kid=kid)
    raise SettingsError([f"private_key_file: {path} holds a key that is neither RSA nor EC P-256, P-384 or P-521"])


def _from_jwk(data: bytes) -> tuple[Any, str | None]:
    parameters = json.loads(data)
    return jwt.PyJWK(parameters).key, parameters.get("kid")


def _join_or(names: Iterable[str]) -> str:
    return " or ".join(names)
