from __future__ import annotations

from service.tokens.algorithms import ALGORITHMS


def test_none_and_symmetric_algorithms_are_absent() -> None:
    assert not [name for name in ALGORITHMS if name.lower() == "none" or name.startswith("HS")]


def test_each_algorithm_has_one_key_type() -> None:
    key_types = {name: (algorithm.kty, algorithm.crv) for name, algorithm in ALGORITHMS.items()}
    expected = {
        **dict.fromkeys(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], ("RSA", None)),
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        **dict.fromkeys(["EdDSA", "Ed25519"], ("OKP", "Ed25519")),
    }
    assert expected == key_types
