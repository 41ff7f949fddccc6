from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeissuer import DPoPClient
from service.errors import InvalidProof, Reason
from service.tokens.binding.proofs import DPoPProof, ProofRules, check_proof

NOW = 1_700_000_000.0
URL = "https://api.example.com/orders"
TOKEN = "a-token"
RULES = ProofRules()

# RFC 9449, figures 12 and 13.
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJq"
    "dGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNv"
    "dXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRq"
    "zhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)


def _check(proof: str, key: DPoPClient, **changed: Any) -> DPoPProof:
    request: dict[str, Any] = {
        "rules": RULES,
        "method": "GET",
        "url": URL,
        "token": TOKEN,
        "thumbprint": key.thumbprint,
        "now": NOW,
    }
    return check_proof(proof, **(request | changed))


def _proof(key: DPoPClient, header: dict[str, Any] | None = None, **claims: Any) -> str:
    usual: dict[str, Any] = {"iat": NOW, "jti": "one"}
    return key.proof("GET", URL, access_token=TOKEN, header=header, claims=usual | claims)


def _reason(proof: str, key: DPoPClient, **changed: Any) -> Reason:
    with pytest.raises(InvalidProof) as exc_info:
        _check(proof, key, **changed)
    return exc_info.value.reason


def test_the_example_of_rfc_9449_is_accepted() -> None:
    proof = check_proof(
        RFC_PROOF,
        rules=RULES,
        method="GET",
        url="https://resource.example.org/protectedresource",
        token=RFC_TOKEN,
        thumbprint="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",  # section 6.1
        now=1562262618,
    )
    assert ("e1j3V_bKic8-LAEB", None) == (proof.jti, proof.nonce)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "EdDSA", "PS256", "RS256"])
def test_a_proof_of_each_algorithm_is_accepted(alg: str) -> None:
    key = DPoPClient(alg)
    assert key.thumbprint == _check(_proof(key), key).thumbprint
    assert Reason.PROOF_ALGORITHM is _reason(_proof(key), key, rules=ProofRules(algorithms=("none",)))


KEY = DPoPClient()
OTHER = DPoPClient()
PRIVATE = KEY.public_jwk | {"d": "c2VjcmV0"}
RSA = DPoPClient("RS256")
WEAK = DPoPClient("RS256", kind="RSA-1024")

HEADERS: list[tuple[str, dict[str, Any], Reason]] = [
    ("no type", {"typ": None}, Reason.PROOF_TYPE),
    ("the type of an assertion", {"typ": "JWT"}, Reason.PROOF_TYPE),
    ("the type of a token", {"typ": "at+jwt"}, Reason.PROOF_TYPE),
    ("no key", {"jwk": None}, Reason.PROOF_KEY),
    ("a key that is no object", {"jwk": "key"}, Reason.PROOF_KEY),
    ("the private key", {"jwk": PRIVATE}, Reason.PROOF_KEY),
    ("a symmetric key", {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, Reason.PROOF_KEY),
    ("a key for encryption", {"jwk": KEY.public_jwk | {"use": "enc"}}, Reason.PROOF_KEY),
    ("a key that only signs", {"jwk": KEY.public_jwk | {"key_ops": ["sign"]}}, Reason.PROOF_KEY),
    ("a key for another algorithm", {"jwk": KEY.public_jwk | {"alg": "ES384"}}, Reason.PROOF_KEY),
    ("a key of another type", {"jwk": RSA.public_jwk}, Reason.PROOF_KEY),
    ("a weak RSA key", {"jwk": WEAK.public_jwk}, Reason.PROOF_KEY),
    ("a point that is not on the curve", {"jwk": KEY.public_jwk | {"x": OTHER.public_jwk["x"]}}, Reason.PROOF_KEY),
    ("a coordinate with a leading zero", {"jwk": KEY.public_jwk | {"x": "AA" + KEY.public_jwk["x"]}}, Reason.PROOF_KEY),
    ("a critical extension", {"crit": ["b64"], "b64": True}, Reason.MALFORMED_PROOF),
    ("compression", {"zip": "DEF"}, Reason.MALFORMED_PROOF),
    ("another key", {"jwk": OTHER.public_jwk}, Reason.PROOF_KEY_MISMATCH),
]


@pytest.mark.parametrize(("case", "header", "reason"), HEADERS, ids=[case for case, _, _ in HEADERS])
def test_a_proof_with_another_header_is_rejected(case: str, header: dict[str, Any], reason: Reason) -> None:
    assert reason is _reason(_proof(KEY, header), KEY)


CLAIMS: list[tuple[str, dict[str, Any], Reason]] = [
    ("no method", {"htm": None}, Reason.PROOF_METHOD),
    ("another method", {"htm": "POST"}, Reason.PROOF_METHOD),
    ("the method in lower case", {"htm": "get"}, Reason.PROOF_METHOD),
    ("no URL", {"htu": None}, Reason.PROOF_URL),
    ("another path", {"htu": "https://api.example.com/order"}, Reason.PROOF_URL),
    ("another host", {"htu": "https://evil.example/orders"}, Reason.PROOF_URL),
    ("another scheme", {"htu": "http://api.example.com/orders"}, Reason.PROOF_URL),
    ("a relative URL", {"htu": "/orders"}, Reason.PROOF_URL),
    ("a URL with user information", {"htu": "https://api.example.com@evil.example/orders"}, Reason.PROOF_URL),
    ("a list of URLs", {"htu": [URL]}, Reason.PROOF_URL),
    ("no date", {"iat": None}, Reason.MALFORMED_PROOF),
    ("a date that is a string", {"iat": str(NOW)}, Reason.MALFORMED_PROOF),
    ("a date that is a boolean", {"iat": True}, Reason.MALFORMED_PROOF),
    ("a date more than 60 s ago", {"iat": NOW - 60.5}, Reason.PROOF_TOO_OLD),
    ("a date more than 5 s ahead", {"iat": NOW + 5.5}, Reason.PROOF_IN_FUTURE),
    ("no ID", {"jti": None}, Reason.MALFORMED_PROOF),
    ("an empty ID", {"jti": ""}, Reason.MALFORMED_PROOF),
    ("an ID that is a number", {"jti": 7}, Reason.MALFORMED_PROOF),
    ("a long ID", {"jti": "x" * 257}, Reason.MALFORMED_PROOF),
    ("a nonce that is a number", {"nonce": 7}, Reason.MALFORMED_PROOF),
    ("no hash of the token", {"ath": None}, Reason.PROOF_TOKEN),
    ("the hash of another token", {"ath": "c" * 43}, Reason.PROOF_TOKEN),
    ("the hash with padding", {"ath": "c" * 43 + "="}, Reason.PROOF_TOKEN),
]


@pytest.mark.parametrize(("case", "claims", "reason"), CLAIMS, ids=[case for case, _, _ in CLAIMS])
def test_a_proof_with_another_claim_is_rejected(case: str, claims: dict[str, Any], reason: Reason) -> None:
    assert reason is _reason(_proof(KEY, **claims), KEY)


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": NOW - 60},
        {"iat": NOW + 5},
        {"iat": NOW - 0.123},  # a common sample sends Date.now() / 1000
        {"htu": "HTTPS://API.example.com:443/orders"},
        {"htu": "https://api.example.com/%6Frders?page=2#top"},
        {"htu": "https://api.example.com/v1/../orders"},
        {"further": {"claims": ["are", "ignored"]}},
    ],
)
def test_another_spelling_of_the_same_request_is_accepted(claims: dict[str, Any]) -> None:
    assert _check(_proof(KEY, **claims), KEY)


def test_the_type_may_have_its_prefix() -> None:
    assert _check(_proof(KEY, {"typ": "application/dpop+jwt"}), KEY)


def test_the_nonce_of_a_proof_is_returned() -> None:
    assert "n-1" == _check(_proof(KEY, nonce="n-1"), KEY).nonce


def test_a_proof_with_a_changed_signature_or_payload_is_rejected() -> None:
    signing_input, _, signature = _proof(KEY).rpartition(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert Reason.PROOF_SIGNATURE is _reason(f"{signing_input}.{changed}", KEY)
    assert Reason.PROOF_SIGNATURE is _reason(f"{signing_input}.{signature[:-2]}", KEY)
    header, _, _ = signing_input.partition(".")
    _, payload, _ = _proof(KEY, jti="two").split(".")
    assert Reason.PROOF_SIGNATURE is _reason(f"{header}.{payload}.{signature}", KEY)


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c.d", "\xe9.b.c", "=.=.=", "e30.e30.e30", f"{_proof(KEY)}=", "x" * 8193, f"{_proof(KEY)}.a"],
)
def test_a_text_that_is_not_a_proof_is_rejected(text: str) -> None:
    assert _reason(text, KEY) in {Reason.MALFORMED_PROOF, Reason.PROOF_KEY}


@given(st.text(alphabet='abcABC012._-={}"', max_size=40), st.dictionaries(st.text(max_size=5), st.integers()))
def test_no_text_and_no_claims_cause_another_error(text: str, claims: dict[str, Any]) -> None:
    header, _, signature = _proof(KEY).split(".")
    for candidate in (text, f"{header}.{text}.{signature}", _proof(KEY, None, **{"htm": "POST"} | claims)):
        with pytest.raises(InvalidProof) as exc_info:
            _check(candidate, KEY)
        assert TOKEN not in str(exc_info.value)


def test_the_error_of_a_malformed_proof_repeats_nothing_of_it() -> None:
    secret = json.dumps({"jti": "secret"})
    with pytest.raises(InvalidProof) as exc_info:
        _check(f"{secret}.{secret}.{secret}", KEY)
    assert "secret" not in str(exc_info.value)
