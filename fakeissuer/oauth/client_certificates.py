"""Client authentication by the certificate of a TLS connection (RFC 8705 sections 2 and 3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.raw_jws import base64url
from fakeissuer.model.clients import CERTIFICATE_NAMES, TLS_AUTH_METHODS, Client

if TYPE_CHECKING:
    from cryptography import x509


def check_certificate(client: Client, certificate: bytes | None) -> None:
    """Check that a certificate in DER is one with which a client is registered; the handshake has checked its CA.

    Raises:
        OAuthError: It is missing, or another one.
    """
    if certificate is None or not (_is_own_certificate(client, certificate) or _has_own_name(client, certificate)):
        raise OAuthError(ErrorCase.CLIENT_CERTIFICATE)


def bound_thumbprint(client: Client, certificate: bytes | None) -> str | None:
    """Return the thumbprint to which the tokens of an authenticated client are bound, or None (RFC 8705 section 3).

    Raises:
        OAuthError: The client is registered for bound tokens, and has shown no certificate.
    """
    if not (client.tls_client_certificate_bound_access_tokens or TLS_AUTH_METHODS & set(client.auth_methods)):
        return None
    if certificate is not None:
        return certificate_thumbprint(certificate)
    if client.tls_client_certificate_bound_access_tokens:
        raise OAuthError(ErrorCase.CLIENT_CERTIFICATE)
    return None


def certificate_thumbprint(certificate: bytes) -> str:
    """Return the SHA-256 thumbprint of a certificate in DER, as in ``x5t#S256`` (RFC 8705 section 3.1)."""
    return base64url(hashlib.sha256(certificate).digest())


def bound_certificate(claims: Mapping[str, Any]) -> str | None:
    """Return the thumbprint of the certificate to which a token with these claims is bound, or None."""
    confirmation = claims.get("cnf")  # of any type in a minted token
    thumbprint = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    return thumbprint if isinstance(thumbprint, str) else None


def _is_own_certificate(client: Client, certificate: bytes) -> bool:
    if "self_signed_tls_client_auth" not in client.auth_methods or client.jwks is None:
        return False
    encoded = base64.b64encode(certificate).decode()
    return any(encoded in key.get("x5c", [])[:1] for key in client.jwks["keys"])


def _has_own_name(client: Client, certificate: bytes) -> bool:
    if "tls_client_auth" not in client.auth_methods:
        return False
    from cryptography import x509  # noqa: PLC0415  # slow to import, and few tests need it

    try:
        shown = x509.load_der_x509_certificate(certificate)
    except ValueError:  # OpenSSL accepts some certificates that this library does not
        return False
    if client.tls_client_auth_subject_dn is not None:
        return shown.subject == x509.Name.from_rfc4514_string(client.tls_client_auth_subject_dn)
    names = (getattr(client, member) for member in CERTIFICATE_NAMES)
    return next(name for name in names if name is not None) in _alternative_names(shown)


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509  # noqa: PLC0415  # as above

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = extension.value
    return [
        *names.get_values_for_type(x509.DNSName),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *map(str, names.get_values_for_type(x509.IPAddress)),
        *names.get_values_for_type(x509.RFC822Name),
    ]
