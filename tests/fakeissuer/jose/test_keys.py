from __future__ import annotations

import jwt
import pytest

from fakeissuer.jose import keys
from fakeissuer.jose.keys import KIND_OF_ALGORITHM, create_key, is_signed_by, public_pem, sign, sign_input


@pytest.mark.parametrize("alg", KIND_OF_ALGORITHM)
def test_a_signature_verifies_in_another_library(alg: str) -> None:
    key = create_key("a-kid", alg, KIND_OF_ALGORITHM[alg])
    token = sign(key, {"kid": "a-kid", "alg": alg}, b'{"sub":"alice"}')
    assert jwt.decode(token, jwt.PyJWK(key.public), algorithms=[alg]) == {"sub": "alice"}


def test_the_header_keeps_its_order() -> None:
    key = create_key("a-kid", "ES256", "P-256")
    token = sign(key, {"kid": "a-kid", "alg": "ES256"}, b"{}")
    assert jwt.utils.base64url_decode(token.partition(".")[0]) == b'{"kid":"a-kid","alg":"ES256"}'


def test_raw_bytes_can_be_signed() -> None:
    key = create_key("a-kid", "ES256", "P-256")
    verifier = jwt.get_algorithm_by_name("ES256")
    assert verifier.verify(b"these", jwt.PyJWK(key.public).key, sign_input(key, "ES256", b"these"))


def test_the_public_key_has_no_private_members() -> None:
    for kind, alg in (("RSA", "RS256"), ("P-256", "ES256"), ("Ed25519", "EdDSA")):
        key = create_key("a-kid", alg, kind)
        assert not key.public.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}
        assert public_pem(key).startswith(b"-----BEGIN PUBLIC KEY-----")


def test_the_repr_of_a_key_omits_private_members() -> None:
    key = create_key("a-kid", "ES256", "P-256")
    assert keys.dump_key(key)["d"] not in repr(key)


@pytest.mark.parametrize(
    ("kind", "alg", "can"), [("RSA", "PS512", True), ("RSA-1024", "RS256", True), ("RSA", "ES256", False)]
)
def test_can_sign_depends_on_the_kind_of_key(kind: str, alg: str, *, can: bool) -> None:
    assert create_key("a-kid", "RS256", kind).can_sign(alg) is can


def test_unknown_members_of_a_key_are_ignored() -> None:
    key = create_key("a-kid", "RS256", KIND_OF_ALGORITHM["RS256"])
    token = sign(key, {"alg": "RS256"}, b"{}")
    odd = {**key.public, "ext": True, "key_ops": ["verify"], "status": "ACTIVE"}
    assert is_signed_by(odd, "RS256", token)
    assert not is_signed_by({**odd, "n": "AQAB", "generate": "RSA", "size": 4096}, "RS256", token)
