from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens import jws
from service.tokens.algorithms import ALGORITHMS
from service.tokens.jose_header import JOSEHeader
from service.tokens.jwk import JWK
from service.tokens.jws import CompactJWS, check_header

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "jws.json").read_text("utf-8"))
by_source = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])


def _encode(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@by_source
def test_the_example_of_the_rfc_is_verified(vector: dict[str, Any]) -> None:
    parsed = CompactJWS.parse(vector["compact"])
    assert vector["alg"] == parsed.header.alg
    assert jws.verify(parsed, algorithm=vector["alg"], keys=[JWK.read(vector["key"])])


@by_source
def test_the_example_with_a_flipped_bit_in_its_signature_is_rejected(vector: dict[str, Any]) -> None:
    signing_input, _, signature = vector["compact"].rpartition(".")
    octets = base64.urlsafe_b64decode(signature + "==")
    key = JWK.read(vector["key"])
    for bit in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        parsed = CompactJWS.parse(f"{signing_input}.{_encode(bytes(flipped))}")
        with pytest.raises(InvalidToken) as exc_info:
            jws.verify(parsed, algorithm=vector["alg"], keys=[key])
        assert exc_info.value.reason is Reason.BAD_SIGNATURE


@by_source
def test_the_example_with_a_flipped_bit_in_its_payload_is_rejected(vector: dict[str, Any]) -> None:
    header, payload, signature = vector["compact"].split(".")
    octets = bytearray(base64.urlsafe_b64decode(payload + "=="))
    octets[0] ^= 1
    parsed = CompactJWS.parse(f"{header}.{_encode(bytes(octets))}.{signature}")
    with pytest.raises(InvalidToken):
        jws.verify(parsed, algorithm=vector["alg"], keys=[JWK.read(vector["key"])])


@pytest.mark.parametrize("size", [0, 1, 63, 65, 96])
def test_an_ecdsa_signature_of_another_length_is_rejected(size: int) -> None:
    vector = next(vector for vector in VECTORS if vector["alg"] == "ES256")
    signing_input, _, _ = vector["compact"].rpartition(".")
    parsed = CompactJWS.parse(f"{signing_input}.{_encode(bytes(size))}")
    with pytest.raises(InvalidToken):
        jws.verify(parsed, algorithm="ES256", keys=[JWK.read(vector["key"])])


@pytest.mark.parametrize("alg", ["ES256", "ES512"])
def test_an_ecdsa_signature_of_zeros_is_rejected(alg: str) -> None:
    """CVE-2022-21449: Java accepted r = s = 0 as a signature of any text."""
    vector = next(vector for vector in VECTORS if vector["alg"] == alg)
    signing_input, _, _ = vector["compact"].rpartition(".")
    size = ALGORITHMS[alg].signature_size
    assert size is not None
    parsed = CompactJWS.parse(f"{signing_input}.{_encode(bytes(size))}")
    with pytest.raises(InvalidToken):
        jws.verify(parsed, algorithm=alg, keys=[JWK.read(vector["key"])])


def test_a_key_for_another_algorithm_is_rejected() -> None:
    vector = next(vector for vector in VECTORS if vector["alg"] == "RS256")
    key = JWK.read(vector["key"] | {"alg": "PS256"})
    with pytest.raises(InvalidToken):
        jws.verify(CompactJWS.parse(vector["compact"]), algorithm="RS256", keys=[key])


def test_each_key_is_tried() -> None:
    vector = next(vector for vector in VECTORS if vector["alg"] == "RS256")
    other = JWK(kid=None, algorithms=frozenset({"RS256"}), key=_rsa().public_key())
    keys = [other, JWK.read(vector["key"])]
    assert jws.verify(CompactJWS.parse(vector["compact"]), algorithm="RS256", keys=keys)


MALFORMED = {
    "an empty text": "",
    "a word": "token",
    "two parts": f"{_encode({})}.{_encode({})}",
    "four parts": f"{_encode({})}.{_encode({})}.AA.AA",
    "the five parts of a JWE": ".".join([_encode({"alg": "dir", "enc": "A128GCM"})] + ["AA"] * 4),
    "a header that is a list": f"{_encode([])}.{_encode({})}.AA",
    "a header with a name twice": _encode(b'{"alg":"RS256","alg":"none"}') + f".{_encode({})}.AA",
    "an empty header": f".{_encode({})}.AA",
    "padding": f"{_encode({'alg': 'RS256'})}=.{_encode({})}.AA",
    "white space": f"{_encode({})}. {_encode({})}.AA",
    "a signature with unused bits set": f"{_encode({})}.{_encode({})}.AB",
    "non-ASCII characters": f"{_encode({})}.é.AA",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_jws_is_rejected(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # only the type is specified
        CompactJWS.parse(text)


@given(st.text(alphabet=st.sampled_from("eyJ.AQ-_= é\n{}")) | st.text())
def test_any_text_gives_a_jws_or_a_value_error(text: str) -> None:
    try:
        parsed = CompactJWS.parse(text)
    except ValueError:
        return
    assert parsed.signing_input.decode() == text.rpartition(".")[0]


def test_repr_hides_the_token() -> None:
    compact = VECTORS[0]["compact"]
    text = repr(CompactJWS.parse(compact))
    assert not any(part in text for part in compact.split("."))


def _rsa() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def test_an_allowed_algorithm_and_the_key_id_are_returned() -> None:
    header = {"alg": "RS256", "kid": "a", "typ": "JWT", "jwk": {}, "jku": "https://attacker.example/"}
    assert ("RS256", "a") == check_header(JOSEHeader.of(header), algorithms={"RS256"})


def test_the_key_id_is_optional() -> None:
    assert ("RS256", None) == check_header(JOSEHeader.of({"alg": "RS256"}), algorithms={"RS256"})


INVALID_HEADERS: dict[str, tuple[dict[str, object], Reason]] = {
    "no algorithm": ({}, Reason.UNSUPPORTED_ALGORITHM),
    "none": ({"alg": "none"}, Reason.UNSUPPORTED_ALGORITHM),
    "None": ({"alg": "None"}, Reason.UNSUPPORTED_ALGORITHM),
    "a symmetric algorithm": ({"alg": "HS256"}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is not allowed": ({"alg": "RS512"}, Reason.UNSUPPORTED_ALGORITHM),
    "an allowed algorithm in lower case": ({"alg": "rs256"}, Reason.UNSUPPORTED_ALGORITHM),
    "a list of algorithms": ({"alg": ["RS256"]}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is null": ({"alg": None}, Reason.UNSUPPORTED_ALGORITHM),
    "crit": ({"alg": "RS256", "crit": ["exp"]}, Reason.CRITICAL_HEADER),
    "an empty crit": ({"alg": "RS256", "crit": []}, Reason.CRITICAL_HEADER),
    "b64": ({"alg": "RS256", "b64": True}, Reason.CRITICAL_HEADER),
    "zip": ({"alg": "RS256", "zip": "DEF"}, Reason.CRITICAL_HEADER),
    "a kid that is a number": ({"alg": "RS256", "kid": 1}, Reason.MALFORMED_TOKEN),
    "a kid that is too long": ({"alg": "RS256", "kid": "k" * 2000}, Reason.MALFORMED_TOKEN),
}


@pytest.mark.parametrize(("header", "reason"), INVALID_HEADERS.values(), ids=INVALID_HEADERS.keys())
def test_an_invalid_header_is_rejected(header: dict[str, object], reason: Reason) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_header(JOSEHeader.of(header), algorithms={"RS256"})
    assert reason is exc_info.value.reason


def test_a_key_id_that_is_null_is_none() -> None:
    header = JOSEHeader.of({"alg": "RS256", "kid": None})
    assert ("RS256", None) == jws.check_header(header, algorithms={"RS256"})
