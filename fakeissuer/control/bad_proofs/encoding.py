"""Proofs that are no compact JWS, or whose signature is wrong (RFC 7515 sections 5.2 and 7.1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from fakeissuer.control.bad_proofs.proof_builder import Fields, ProofBuilder, Row
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url

_OVERSIZE_CHARACTERS = 16 * 1024
_THREE_PARTS = "a proof has exactly three parts"
_UNIQUE_NAMES = "a name is there once"
_SIGNATURE = "the signature is made by the key in the proof"


def _changed(change: Callable[[str], str], builder: ProofBuilder) -> Fields:
    """Return a proof that was changed as a whole after signing."""
    return builder.fields(change(builder.proof()))


def _with_payload(payload: bytes, builder: ProofBuilder) -> Fields:
    """Return a signed proof with these bytes as the payload."""
    return builder.fields(builder.proof(claims=payload))


def _with_signature(change: Callable[[bytes], bytes], builder: ProofBuilder) -> Fields:
    """Return a proof with a changed signature."""
    sign = builder.signer()
    return builder.fields(builder.proof(sign=lambda signing_input: change(sign(signing_input))))


def _repeated_claim(builder: ProofBuilder) -> Fields:
    """Return a proof with two methods; parsers that keep the last one accept it."""
    payload = raw_jws.json_object([("htm", "DELETE"), *builder.claims().items()])
    return builder.fields(builder.proof(claims=payload))


def _repeated_parameter(builder: ProofBuilder) -> Fields:
    """Return a proof with two keys."""
    header = raw_jws.json_object([("jwk", {"kty": "EC"}), *builder.header().items()])
    return builder.fields(builder.proof(header=header))


def _other_encoding(builder: ProofBuilder) -> Fields:
    """Return a proof whose payload is UTF-16."""
    return _with_payload(raw_jws.json_object(builder.claims().items()).decode().encode("utf-16"), builder)


def _changed_after_signing(builder: ProofBuilder) -> Fields:
    """Return a proof with another ``jti``, as a thief who replays it would need."""
    header, _, signature = builder.proof().split(".")
    payload = base64url(raw_jws.json_object(builder.claims().items()))
    return builder.fields(f"{header}.{payload}.{signature}")


def _json_serialization(proof: str) -> str:
    header, payload, signature = proof.split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature}, separators=(",", ":"))


def _der(signature: bytes) -> bytes:
    """Return an ECDSA signature as in X.509, which RFC 7518 section 3.4 does not use."""
    half = len(signature) // 2
    numbers = b"".join(_der_integer(part) for part in (signature[:half], signature[half:]))
    return bytes([0x30, len(numbers)]) + numbers


def _der_integer(octets: bytes) -> bytes:
    shortest = octets.lstrip(b"\0")
    value = b"\0" + shortest if shortest[0] & 0x80 else shortest
    return bytes([0x02, len(value)]) + value


ROWS = (
    Row("two-parts", _THREE_PARTS, partial(_changed, lambda proof: proof.rpartition(".")[0])),
    Row("four-parts", _THREE_PARTS, partial(_changed, lambda proof: f"{proof}.bW9yZQ")),
    Row("signature-padded", "base64url has no padding", partial(_changed, lambda proof: f"{proof}==")),
    Row("quoted", "a proof is not quoted", partial(_changed, lambda proof: f'"{proof}"')),
    Row("json-serialization", "a proof is in compact serialization", partial(_changed, _json_serialization)),
    Row("payload-list", "the payload is an object", partial(_with_payload, b"[]")),
    Row("payload-not-json", "the payload is JSON", partial(_with_payload, b"claims")),
    Row("payload-utf-16", "the payload is UTF-8", _other_encoding),
    Row("payload-repeats-htm", _UNIQUE_NAMES, _repeated_claim),
    Row("header-repeats-jwk", _UNIQUE_NAMES, _repeated_parameter),
    Row(
        "oversize",
        "the size of a proof is bounded",
        lambda builder: builder.fields(builder.proof(claims=builder.claims(note="x" * _OVERSIZE_CHARACTERS))),
    ),
    Row("signature-empty", "a signature is there", partial(_with_signature, lambda _: b"")),
    Row("signature-of-zeros", "r and s are not 0", partial(_with_signature, lambda octets: bytes(len(octets)))),
    Row("signature-cut", "a signature has its full length", partial(_with_signature, lambda octets: octets[:32])),
    Row("signature-in-der", "a signature is r and s, one after the other", partial(_with_signature, _der)),
    Row(
        "signature-by-another-key",
        _SIGNATURE,
        lambda builder: builder.fields(builder.proof(sign=builder.signer(builder.attacker_key))),
    ),
    Row("payload-changed-after-signing", "the signature covers the payload", _changed_after_signing),
)
