"""Client authentication at an authorization server (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from service.clock import Clock
from service.errors import SettingsError
from service.settings.files import show_path
from service.settings.issuers import ClientCredentials

ASSERTION_LIFETIME = 300
"""Seconds until an assertion expires; it is used at once, and Okta rejects lifetimes over an hour."""
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MIN_HMAC_SECRET_LENGTH = 32
"""Bytes that a secret needs to sign with HS256 (RFC 7518 section 3.2)."""
_ALGORITHM_BY_CURVE = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticatedRequest:
    """The headers and form fields that authenticate the client of a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """A key that signs assertions, its algorithm, and the key ID under which the server has it registered."""

    key: Any = field(repr=False)
    alg: str
    kid: str | None = None


class ClientAuthentication:
    """Authenticates this service as a client of an authorization server.

    The method is the configured one, or the first that the credentials allow and the server supports.

    Args:
        credentials: The client ID and the secret or private key.
        clock: The source of ``iat`` and ``exp`` of assertions.

    Raises:
        SettingsError: The private key cannot be read, or the credentials do not allow the configured method.
    """

    def __init__(self, credentials: ClientCredentials, *, clock: Clock) -> None:
        self._client_id = credentials.client_id
        self._secret = credentials.secret.get_secret_value() if credentials.secret else ""
        self._clock = clock
        path = credentials.private_key_file
        self._key = None if path is None else read_private_key(Path(path))
        self._methods = self._usable_methods(credentials.method)
        self._is_chosen = credentials.method is not None

    def apply(self, endpoint: str, *, supported: Iterable[str] | None) -> AuthenticatedRequest:
        """Return the headers and form fields that authenticate a request to an endpoint.

        Args:
            endpoint: The URL of the endpoint, which becomes the audience of an assertion.
            supported: The methods in the server's metadata, or None if the metadata lists none; ignored if a method is
                configured.

        Raises:
            ValueError: The server supports no method that the credentials allow.
        """
        # Metadata may be incomplete, or list the methods of another endpoint, so it does not overrule the setting.
        accepted = set(self._methods if supported is None or self._is_chosen else supported)
        for name, method in self._methods.items():
            if name in accepted:
                return method(endpoint)
        raise ValueError(f"it supports {', '.join(sorted(accepted))}; our credentials allow {', '.join(self._methods)}")

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
                [f"introspection_auth_method: was {chosen!r}; the credentials allow {_join_or(usable)}"]
            )
        return {chosen: usable[chosen]}

    def _basic(self, _endpoint: str) -> AuthenticatedRequest:
        # Both are form-encoded first (RFC 6749 section 2.3.1), since a colon in the ID would start the secret early.
        pair = f"{urllib.parse.quote_plus(self._client_id)}:{urllib.parse.quote_plus(self._secret)}"
        return AuthenticatedRequest(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})

    def _post(self, _endpoint: str) -> AuthenticatedRequest:
        return AuthenticatedRequest(form={"client_id": self._client_id, "client_secret": self._secret})

    def _none(self, _endpoint: str) -> AuthenticatedRequest:
        return AuthenticatedRequest(form={"client_id": self._client_id})

    def _secret_jwt(self, endpoint: str) -> AuthenticatedRequest:
        return self._assertion(endpoint, SigningKey(key=self._secret, alg="HS256"))

    def _private_key_jwt(self, endpoint: str) -> AuthenticatedRequest:
        assert self._key is not None  # noqa: S101  # the method is usable only with a key
        return self._assertion(endpoint, self._key)

    def _assertion(self, endpoint: str, key: SigningKey) -> AuthenticatedRequest:
        now = int(self._clock.now())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": endpoint,  # the server that receives the assertion cannot use it at another one
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        import jwt  # noqa: PLC0415  # only the methods with an assertion need it, and it imports X.509

        headers = {"kid": key.kid} if key.kid else None
        signed = jwt.encode(claims, key.key, algorithm=key.alg, headers=headers)
        return AuthenticatedRequest(form={"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed})


def read_private_key(path: Path) -> SigningKey:
    """Return the private key in a file: PEM without a password, or a JWK; Okta's console exports both.

    Raises:
        SettingsError: The file cannot be read, or contains no private key for RS256, ES256, ES384 or ES512.
    """
    try:
        data = path.read_bytes()
        key, kid = _from_jwk(data) if data.lstrip().startswith(b"{") else (_from_pem(data), None)
    except OSError as exc:
        raise SettingsError([f"private_key_file: {show_path(path)}: {exc.strerror}"]) from None
    except Exception as exc:  # noqa: BLE001  # the parser's message may quote the key
        problem = (
            f"private_key_file: {show_path(path)} contains no private key; expected PEM without a password, or a JWK"
        )
        raise SettingsError([f"{problem}: {type(exc).__name__}"]) from None
    if isinstance(key, RSAPrivateKey):
        return SigningKey(key=key, alg="RS256", kid=kid)
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _ALGORITHM_BY_CURVE:
        return SigningKey(key=key, alg=_ALGORITHM_BY_CURVE[key.curve.name], kid=kid)
    raise SettingsError([f"private_key_file: {path} has another kind of key; expected RSA or EC P-256, P-384 or P-521"])


def _from_pem(data: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  # for this method

    return load_pem_private_key(data, None)


def _from_jwk(data: bytes) -> tuple[Any, str | None]:
    import jwt  # noqa: PLC0415  # for this method

    parameters = json.loads(data)
    return jwt.PyJWK(parameters).key, parameters.get("kid")


def _join_or(names: Iterable[str]) -> str:
    return " or ".join(names)
