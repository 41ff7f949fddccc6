"""Tokens that are not a JWS in compact serialization, or not quite (RFC 7515 sections 2 and 7.1, RFC 6750 2.1)."""

from __future__ import annotations

import json
import string
from itertools import repeat

from fakeissuer.control.bad_tokens.token_builder import Row, TokenBuilder
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
OVERSIZE_BYTES = 16 * 1024

THREE_PARTS = "there are exactly three parts"
NOT_A_CREDENTIAL = "the credential is one b64token"
CANONICAL = "base64url has no unused bits set"


def truncated(parts: int, builder: TokenBuilder) -> str:
    """Return the first so many parts of a token."""
    return ".".join(builder.token().split(".")[:parts])


def encrypted_shape(builder: TokenBuilder) -> str:
    """Return five parts, as a JWE has them."""
    header, payload, signature = builder.token().split(".")
    return f"{header}.{payload}.{signature}.{payload}.{signature}"


def oversize(builder: TokenBuilder) -> str:
    """Return a token that is good but for a claim that makes it too long to be read."""
    return builder.token(claims=builder.claims(note="x" * OVERSIZE_BYTES))


def noncanonical_signature(builder: TokenBuilder) -> str:
    """Return a token whose signature decodes to the right bytes, from another text than the one they encode to."""
    return _set_unused_bit(builder.token())


def noncanonical_payload(builder: TokenBuilder) -> str:
    """Return a token whose payload has unused bits set, signed as it stands."""
    payload = raw_jws.json_object(builder.claims().items())
    payload += b" " * (1 if len(payload) % 3 == 0 else 0)  # three bytes fill four characters: there none is unused
    signing_input = f"{base64url(raw_jws.json_object(builder.header().items()))}.{base64url(payload)}"
    return raw_jws.signed(_set_unused_bit(signing_input), builder.signer())


def standard_alphabet(builder: TokenBuilder) -> str:
    """Return a token whose signature is in the alphabet of plain base64."""
    # Each token has a jti of its own, and so another signature; nearly all hold one of the characters.
    tokens = (builder.token() for _ in repeat(None))
    token = next(token for token in tokens if {"-", "_"} & set(token.rpartition(".")[2]))
    signing_input, _, signature = token.rpartition(".")
    return f"{signing_input}.{signature.replace('-', '+').replace('_', '/')}"


def padded_payload(builder: TokenBuilder) -> str:
    """Return a token with padding in its middle."""
    header, payload, signature = builder.token().split(".")
    return f"{header}.{payload}=.{signature}"


def json_serialization(builder: TokenBuilder) -> str:
    """Return a JWS in the flattened JSON serialization (RFC 7515 section 7.2.2)."""
    header, payload, signature = builder.token().split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature}, separators=(",", ":"))


def with_inserted(text: str, builder: TokenBuilder) -> str:
    """Return a token with something in the middle of its signature."""
    token = builder.token()
    return token[:-10] + text + token[-10:]


def _set_unused_bit(text: str) -> str:
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


ROWS = (
    Row("one-part", THREE_PARTS, lambda builder: truncated(1, builder)),
    Row("two-parts", THREE_PARTS, lambda builder: truncated(2, builder)),
    Row("four-parts", THREE_PARTS, lambda builder: f"{builder.token()}.{base64url(b'more')}"),
    Row("five-parts", THREE_PARTS, encrypted_shape),
    Row("dots-alone", "no part but the signature may be empty", lambda _: ".."),
    Row("sd-jwt-shape", "a part has base64url's characters only", lambda builder: f"{builder.token()}~"),
    Row("oversize", "a token has at most 16 KiB", oversize),
    Row("signature-not-canonical", CANONICAL, noncanonical_signature),
    Row("payload-not-canonical", CANONICAL, noncanonical_payload),
    Row("signature-padded", "base64url has no padding", lambda builder: f"{builder.token()}=="),
    Row("signature-plain-base64", "base64url has - and _ for + and /", standard_alphabet),
    Row("payload-padded", NOT_A_CREDENTIAL, padded_payload, 400),
    Row("space-inside", NOT_A_CREDENTIAL, lambda builder: with_inserted(" ", builder), 400),
    Row("tab-inside", NOT_A_CREDENTIAL, lambda builder: with_inserted("\t", builder), 400),
    Row("not-ascii", NOT_A_CREDENTIAL, lambda builder: with_inserted("é", builder), 400),
    Row("percent-encoded", NOT_A_CREDENTIAL, lambda builder: builder.token().replace(".", "%2E"), 400),
    Row("quoted", NOT_A_CREDENTIAL, lambda builder: f'"{builder.token()}"', 400),
    Row("two-with-comma", NOT_A_CREDENTIAL, lambda builder: f"{builder.token()},{builder.token()}", 400),
    Row("json-serialization", NOT_A_CREDENTIAL, json_serialization, 400),
)
