"""Reads the header fields in which proxies report the client certificate of a TLS connection that ends at them."""

from __future__ import annotations

import base64
import binascii
import functools
import re
import urllib.parse
from collections.abc import Callable, Mapping

from service.tokens.binding.thumbprint import encode_sha256
from service.tokens.encoding import encode_base64url

_ABSENT = frozenset({"", "(null)"})
"""What proxies send without a certificate: HAProxy an empty value, Apache the other one; most send no field."""

_BYTE_SEQUENCE = re.compile(r":([A-Za-z0-9+/]*)(=*):", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
_PEM = re.compile(r"(?:-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*)+", re.ASCII)
_FIRST_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END", re.ASCII)
_SHA256_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_XFCC_PAIR = re.compile(r"""[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*?))[ \t]*([;,]|$)""", re.ASCII)
"""One pair of ``X-Forwarded-Client-Cert``; the value of a URI may contain an equals sign without quotes."""
_ONCE = frozenset({"hash", "cert"})
_SEQUENCE = 0x30
_LONG_LENGTH = 0x80


@functools.lru_cache(maxsize=256)
def read_certificate_field(header: str, value: str) -> str | None:
    """Return the SHA-256 hash of the certificate in a header field in base64url, or None if there is no certificate.

    A client sends the same certificate with each request, so the results are cached.

    Args:
        header: The name of the header field in lower case, which determines the encoding: ``client-cert`` is that of
            RFC 9440 section 2.2, ``x-forwarded-client-cert`` that of Envoy, any other one that of a certificate in PEM,
            percent-encoded or not, or in base64.

    Raises:
        ValueError: The value is malformed.
    """
    value = value.strip()
    return None if value in _ABSENT else _READERS.get(header, _read_certificate)(value)


def _read_rfc_9440(value: str) -> str:
    """Return the hash of the certificate in a byte sequence (RFC 9440 section 2.2, RFC 8941 section 3.3.5)."""
    found = _BYTE_SEQUENCE.fullmatch(value)
    if found is None:
        raise ValueError("expected a certificate in base64 between colons")
    return _hash_of(found[1] + "=" * (-len(found[1]) % 4) if not found[2] else found[1] + found[2])


def _read_certificate(value: str) -> str:
    """Return the hash of the certificate in PEM or base64; of a chain, that of its first, which is the client's."""
    # A plus is one of the characters of base64, and stands for no space: AWS sends it unescaped.
    text = urllib.parse.unquote(value) if "%" in value else value
    if _PEM.fullmatch(text):
        (first,) = _FIRST_PEM.match(text).groups()  # type: ignore[union-attr]  # it begins with one
        return _hash_of("".join(first.split()))
    if not _BASE64.fullmatch(text):
        raise ValueError("expected a certificate in PEM or base64")
    return _hash_of(text)


def _read_xfcc(value: str) -> str:
    """Return the hash in the last element of Envoy's field, which the proxy itself has added."""
    element: dict[str, str] = {}
    position, separator = 0, ","
    while separator:
        if separator == ",":
            element = {}
        pair = _XFCC_PAIR.match(value, position)
        name = "" if pair is None else pair[1].lower()
        if pair is None or (name in element and name in _ONCE):
            # A quote that the client leaves open could swallow what the proxy has added.
            raise ValueError("expected pairs of key and value, each with one Hash or Cert")
        element[name] = pair[3] if pair[2] is None else re.sub(r"\\(.)", r"\1", pair[2])
        position, separator = pair.end(), pair[4]
    hashes = {_read_certificate(element["cert"])} if "cert" in element else set()
    if "hash" in element:
        hashes.add(_read_hash(element["hash"]))
    if len(hashes) != 1:
        raise ValueError("expected Hash or Cert in the last element, and both of the same certificate")
    return hashes.pop()


def _read_hash(text: str) -> str:
    if not _SHA256_HEX.fullmatch(text):
        raise ValueError("expected a SHA-256 hash in hexadecimal digits")
    return encode_base64url(bytes.fromhex(text))


def _hash_of(encoded: str) -> str:
    try:
        certificate = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("expected base64") from None
    if not _is_der_sequence(certificate):
        raise ValueError("expected a certificate in DER")
    return encode_sha256(certificate)


def _is_der_sequence(data: bytes) -> bool:
    """Return whether data are one DER sequence from beginning to end, so that nothing is hashed that was cut off."""
    if data[:1] != bytes([_SEQUENCE]) or len(data) <= 1:
        return False
    if data[1] < _LONG_LENGTH:
        return len(data) == 2 + data[1]
    count = data[1] - _LONG_LENGTH
    return len(data) == 2 + count + int.from_bytes(data[2 : 2 + count])


_READERS: Mapping[str, Callable[[str], str]] = {
    "client-cert": _read_rfc_9440,
    "x-forwarded-client-cert": _read_xfcc,
}
