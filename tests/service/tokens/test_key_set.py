from __future__ import annotations

import re
from typing import Any

import pytest
from public_keys import ec_jwk, okp_jwk, rsa_jwk

from service.tokens.key_set import MAX_CANDIDATES, KeySet

RSA, EC, OKP = rsa_jwk(), ec_jwk(), okp_jwk()

RSA_WITHOUT_MODULUS = {"kty": "RSA", "e": "AQAB"}
UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "no member": ({}, "has no list named keys; servers that sign with a shared secret"),
    "no list": ({"keys": {}}, "has no list named keys"),
    "an empty list": ({"keys": []}, "is empty; servers that sign with a shared secret (HS256) publish no keys"),
    "PEM": ({"a": "-----BEGIN CERTIFICATE-----"}, "maps key IDs to PEM; the issuer has another URL"),
    "a single key": (RSA, "is a single key; write it into a list named keys"),
    "the discovery document": ({"issuer": "https://i.example", "jwks_uri": "x"}, "it is the discovery document"),
    "two unusable keys": (
        {"keys": [RSA_WITHOUT_MODULUS, EC | {"kid": "b", "use": "enc"}]},
        "no usable key among 2: key 1: n is missing; key 'b': use is 'enc' instead of 'sig'",
    ),
    "many unusable keys": ({"keys": ["key"] * 20}, "key 8: it is not a JSON object; and 12 more"),
}


@pytest.mark.parametrize(("document", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_set_without_a_usable_key_is_rejected_with_the_reason(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        KeySet.read(document)


def test_an_unusable_key_is_skipped_with_the_reason() -> None:
    key_set = KeySet.read({"keys": [RSA_WITHOUT_MODULUS | {"kid": "a"}, EC | {"kid": "good"}, {"kid": 1}]})
    assert ["good"] == [key.kid for key in key_set.keys]
    assert ["key 'a': n is missing", "key 3: kid is 1, which is not a string"] == list(map(str, key_set.skipped))


ABSENT: dict[str, tuple[str | None, str]] = {
    "no kid": (None, "no key is for RS256"),
    "an unknown kid": ("c", "no key has this kid"),
    "a key for another algorithm": ("good", "the key is for ES256, and not for RS256"),
    "an unusable key": ("a", "it is published, but cannot be used: key 'a': n is missing"),
}


@pytest.mark.parametrize(("kid", "words"), ABSENT.values(), ids=ABSENT.keys())
def test_the_absence_of_a_key_is_explained(kid: str | None, words: str) -> None:
    key_set = KeySet.read({"keys": [RSA_WITHOUT_MODULUS | {"kid": "a"}, EC | {"kid": "good"}]})
    assert [] == key_set.select(algorithm="RS256", kid=kid)
    assert words == key_set.explain_absence(algorithm="RS256", kid=kid)


def test_a_key_is_selected_by_its_key_id() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a"}, rsa_jwk() | {"kid": "b"}]})
    assert ["b"] == [key.kid for key in key_set.select(algorithm="RS256", kid="b")]
    assert [] == key_set.select(algorithm="RS256", kid="c")


def test_keys_with_the_same_key_id_are_selected_by_type() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a"}, EC | {"kid": "a"}]})
    assert [frozenset({"ES256"})] == [key.algorithms for key in key_set.select(algorithm="ES256", kid="a")]


def test_a_key_for_another_algorithm_is_not_selected() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a", "alg": "RS512"}]})
    assert [] == key_set.select(algorithm="RS256", kid="a")


def test_without_a_key_id_a_few_keys_for_the_algorithm_are_selected() -> None:
    key_set = KeySet.read({"keys": [EC, *[RSA | {"kid": str(number)} for number in range(9)]]})
    candidates = key_set.select(algorithm="RS256", kid=None)
    assert MAX_CANDIDATES == len(candidates)
    assert all("RS256" in key.algorithms for key in candidates)


def test_a_key_set_contains_its_keys_and_no_other_key_with_their_key_id() -> None:
    first, second, other = (KeySet.read({"keys": [okp_jwk() | {"kid": kid}]}) for kid in ("a", "b", "a"))
    both = KeySet(keys=first.keys + second.keys)
    assert [True, True, False] == [key in both.by_kid[key.kid] for (key,) in (first.keys, second.keys, other.keys)]
    assert [] == both.select(algorithm="EdDSA", kid="c")


def test_the_key_of_another_tenant_is_skipped() -> None:
    """A stolen key of personal accounts must not sign tokens of an organization."""
    own, others = "00000000-0000-0000-0000-000000000001", "9188040d-6c67-4c5b-b112-36a304b66dad"
    issuers = [f"https://login.microsoftonline.com/{tenant}/v2.0" for tenant in (own, "{tenantid}", others)]
    keys = [okp_jwk() | {"kid": str(number), "issuer": issuer} for number, issuer in enumerate(issuers)]
    key_set = KeySet.read({"keys": [*keys, okp_jwk() | {"kid": "3", "issuer": 7}]}, issuer=issuers[0])
    assert ["0", "1", "3"] == [key.kid for key in key_set.keys]
    assert ["key '2': it is the key of another tenant"] == list(map(str, key_set.skipped))
    assert 3 == len(KeySet.read({"keys": keys}, issuer="https://issuer.example").keys)
