"""Tokens that are not a valid compact JWS (RFC 7515 sections 2 and 7.1, RFC 6750 section 2.1)."""

from __future__ import annotations

import json
import string
from itertools import repeat

from fakeissuer.control.bad_tokens.token_builder import Row, TokenBuilder
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_OVERSIZE_BYTES = 16 * 1024

_THREE_PARTS = "there are exactly three parts"
_NOT_A_CREDENTIAL = "the credential is one b64token"
_CANONICAL = "base64url has no unused bits set"


def _truncated(parts: int, builder: TokenBuilder) -> str:
    """Return the first parts of a token."""
    return ".".join(builder.token().split(".")[:parts])


def _encrypted_shape(builder: TokenBuilder) -> str:
    """Return five parts, like a JWE."""
    header, payload, signature = builder.token().split(".")
    return f"{header}.{payload}.{signature}.{payload}.{signature}"


def oversize(builder: TokenBuilder) -> str:
    """Return a token that is valid except for a claim that makes it too long."""
    return builder.token(claims=builder.claims(note="x" * _OVERSIZE_BYTES))


def _noncanonical_signature(builder: TokenBuilder) -> str:
    """Return a token whose signature decodes to the right bytes but is not their canonical encoding."""
    return _set_unused_bit(builder.token())


def _noncanonical_payload(builder: TokenBuilder) -> str:
    """Return a correctly signed token whose payload encoding has unused bits set."""
    payload = raw_jws.json_object(builder.claims().items())
    payload += b" " * (1 if len(payload) % 3 == 0 else 0)  # three bytes leave no unused bits
    signing_input = f"{base64url(raw_jws.json_object(builder.header().items()))}.{base64url(payload)}"
    return raw_jws.signed(_set_unused_bit(signing_input), builder.signer())


def _standard_alphabet(builder: TokenBuilder) -> str:
    """Return a token whose signature uses the standard base64 alphabet."""
    # Signatures differ by the random jti; nearly all contain one of the characters.
    tokens = (builder.token() for _ in repeat(None))
    token = next(token for token in tokens if {"-", "_"} & set(token.rpartition(".")[2]))
    signing_input, _, signature = token.rpartition(".")
    return f"{signing_input}.{signature.replace('-', '+').replace('_', '/')}"


def _padded_payload(builder: TokenBuilder) -> str:
    """Return a token with padding after the payload."""
    header, payload, signature = builder.token().split(".")
    return f"{header}.{payload}=.{signature}"


def _json_serialization(builder: TokenBuilder) -> str:
    """Return a JWS in the flattened JSON serialization (RFC 7515 section 7.2.2)."""
    header, payload, signature = builder.token().split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature}, separators=(",", ":"))


def _with_inserted(text: str, builder: TokenBuilder) -> str:
    """Return a token with text inserted into its signature."""
    token = builder.token()
    return token[:-10] + text + token[-10:]


def _set_unused_bit(text: str) -> str:
    return text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) | 1]


ROWS = (
    Row("one-part", _THREE_PARTS, lambda builder: _truncated(1, builder)),
    Row("two-parts", _THREE_PARTS, lambda builder: _truncated(2, builder)),
    Row("four-parts", _THREE_PARTS, lambda builder: f"{builder.token()}.{base64url(b'more')}"),
    Row("five-parts", _THREE_PARTS, _encrypted_shape),
    Row("dots-alone", "no part but the signature may be empty", lambda _: ".."),
    Row("sd-jwt-shape", "a part has base64url's characters only", lambda builder: f"{builder.token()}~"),
    Row("oversize", "a token has at most 16 KiB", oversize),
    Row("signature-not-canonical", _CANONICAL, _noncanonical_signature),
    Row("payload-not-canonical", _CANONICAL, _noncanonical_payload),
    Row("signature-padded", "base64url has no padding", lambda builder: f"{builder.token()}=="),
    Row("signature-plain-base64", "base64url has - and _ for + and /", _standard_alphabet),
    Row("payload-padded", _NOT_A_CREDENTIAL, _padded_payload, 400),
    Row("space-inside", _NOT_A_CREDENTIAL, lambda builder: _with_inserted(" ", builder), 400),
    Row("tab-inside", _NOT_A_CREDENTIAL, lambda builder: _with_inserted("\t", builder), 400),
    Row("not-ascii", _NOT_A_CREDENTIAL, lambda builder: _with_inserted("é", builder), 400),
    Row("percent-encoded", _NOT_A_CREDENTIAL, lambda builder: builder.token().replace(".", "%2E"), 400),
    Row("quoted", _NOT_A_CREDENTIAL, lambda builder: f'"{builder.token()}"', 400),
    Row("two-with-comma", _NOT_A_CREDENTIAL, lambda builder: f"{builder.token()},{builder.token()}", 400),
    Row("json-serialization", _NOT_A_CREDENTIAL, _json_serialization, 400),
)
