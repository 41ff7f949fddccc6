from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from plain_http import Send

from fakeissuer import InvalidRequestError, RunningIssuer
from fakeissuer.control.bad_proofs import ROWS
from fakeissuer.control.bad_proofs.proof_builder import token_hash
from fakeissuer.control.bad_tokens import ROWS as BAD_TOKENS
from fakeissuer.jose import keys
from fakeissuer.jose.raw_jws import decode_base64url
from fakeissuer.model.records import read_members

URL = "https://api.example.com/orders?all=1"


def _claims(jws: str) -> dict[str, Any]:
    return read_members(decode_base64url(jws.split(".")[1]))


def _valid(issuer: RunningIssuer, **members: Any) -> tuple[str, dict[str, Any]]:
    """Return the token and the claims of the one entry whose first request is accepted."""
    (entry,) = (bad for bad in issuer.bad_proofs("PUT", URL, **members) if bad.times == 2)
    fields = dict(entry.fields)
    return fields["Authorization"].removeprefix("DPoP "), _claims(fields["DPoP"])


def test_each_entry_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) > 90
    assert not {row.name for row in BAD_TOKENS} & {"replayed", "proof-missing"}


def test_a_proof_is_for_the_request_and_its_token(fake_issuer: RunningIssuer) -> None:
    token, claims = _valid(fake_issuer, token={"sub": "alice@example.com", "scp": "api:write"})
    assert ("PUT", "https://api.example.com/orders", token_hash(token)) == (claims["htm"], claims["htu"], claims["ath"])
    assert ("alice@example.com", ["api:write"]) == (_claims(token)["sub"], _claims(token)["scp"])
    assert ["jkt"] == list(_claims(token)["cnf"])


CHANGED_PART = {"alg", "ath", "htm", "htu", "iat", "jti", "typ"}
OTHER_PARTS = {"b64-false": {"b64", "crit"}, "crit-unknown": {"crit", "exp2"}, "crit-empty": {"crit"}}
OTHER_PARTS |= {"zip": {"zip"}, "oversize": {"note"}, "jwk-missing": {"jwk"}, "payload-utf-16": set()}
OTHER_ALGORITHMS = {"jwk-symmetric", "jwk-small-rsa", "jwk-exponent-one"}


def test_nothing_is_wrong_but_what_the_name_says(fake_issuer: RunningIssuer) -> None:
    now = 1_700_000_000
    fake_issuer.clock.set(now)
    fake_issuer.clock.freeze()
    compared = 0
    for bad in fake_issuer.bad_proofs("GET", URL):
        fields = dict(bad.fields)
        try:
            header, claims = (json.loads(decode_base64url(part)) for part in fields["DPoP"].split(".")[:2])
        except (KeyError, ValueError):
            continue  # no proof, or none that can be read
        if not isinstance(claims, dict):
            continue
        token = fields["Authorization"].split()[1]
        right = {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": header.get("jwk", {}),
            "htm": "GET",
            "ath": token_hash(token),
        }
        right |= {"htu": URL.partition("?")[0], "iat": now}
        found = {"jti": "", **header, **claims}
        different = {name for name in right.keys() | found.keys() if right.get(name, ...) != found.get(name, ...)}
        jti = claims.get("jti")
        different -= {"jti"} if isinstance(jti, str) and 0 < len(jti) < 100 else set()
        prefix = bad.name.partition("-")[0]
        expected = OTHER_PARTS.get(
            bad.name, {prefix} & CHANGED_PART | ({"alg"} if bad.name in OTHER_ALGORITHMS else set())
        )
        assert (bad.name, expected) == (bad.name, different)
        if prefix in CHANGED_PART - {"alg"} or bad.name == "jwk-of-another-client":
            assert keys.is_signed_by(header["jwk"], "ES256", fields["DPoP"])
        compared += 1
    assert compared > 80


def test_the_signatures_of_weak_keys_are_right(fake_issuer: RunningIssuer) -> None:
    proofs = {bad.name: dict(bad.fields)["DPoP"] for bad in fake_issuer.bad_proofs("GET", URL) if "jwk-" in bad.name}
    small = proofs["jwk-small-rsa"]
    jwk = read_members(decode_base64url(small.split(".")[0]))["jwk"]
    assert keys.is_signed_by(jwk, "RS256", small)
    signature = decode_base64url(proofs["jwk-exponent-one"].split(".")[2])
    digest = hashlib.sha256(proofs["jwk-exponent-one"].rpartition(".")[0].encode()).digest()
    # To the power of 1, the signature is the padded hash (RFC 8017 section 9.2).
    assert (256, b"\0\1\xff", digest) == (len(signature), signature[:3], signature[-32:])


def test_proofs_have_a_nonce_only_if_the_request_has_one(fake_issuer: RunningIssuer) -> None:
    with_nonce, without = fake_issuer.bad_proofs("GET", URL, nonce="n-1"), fake_issuer.bad_proofs("GET", URL)
    assert {"nonce-missing", "nonce-invented", "nonce-cut", "nonce-longer"} == {bad.name for bad in with_nonce} - {
        bad.name for bad in without
    }
    assert ("n-1", None) == (_valid(fake_issuer, nonce="n-1")[1]["nonce"], _valid(fake_issuer)[1].get("nonce"))


def test_opaque_tokens_are_bound_too(fake_issuer: RunningIssuer) -> None:
    token, claims = _valid(fake_issuer, token={"opaque": True})
    assert (0, token_hash(token)) == (token.count("."), claims["ath"])


def test_the_time_is_that_of_the_issuer(fake_issuer: RunningIssuer) -> None:
    fake_issuer.clock.set(1_700_000_000)
    assert 1_700_000_000 == _valid(fake_issuer)[1]["iat"]


@pytest.mark.parametrize("url", ["https://api.example.com", "http://api.example.com/", "https://[::1]:8443/x"])
def test_each_bad_url_differs_from_the_right_one(url: str, fake_issuer: RunningIssuer) -> None:
    bad = {entry.name: dict(entry.fields) for entry in fake_issuer.bad_proofs("GET", url)}
    urls = [str(_claims(fields["DPoP"])["htu"]) for name, fields in bad.items() if name in OTHER_URLS]
    assert len(OTHER_URLS) == len({*urls} - {url})


OTHER_URLS = {"htu-other-scheme", "htu-other-host", "htu-other-port", "htu-longer", "htu-behind-another"}


def test_an_entry_has_no_token_in_its_repr(fake_issuer: RunningIssuer) -> None:
    (first, *_) = fake_issuer.bad_proofs("GET", URL)
    assert dict(first.fields)["Authorization"].split()[1] not in repr(first)


@pytest.mark.parametrize("members", [{"token": {"server": "none"}}, {"token": {"color": "red"}}, {"color": "red"}])
def test_a_request_with_unknown_members_is_rejected(members: dict[str, Any], fake_issuer: RunningIssuer) -> None:
    with pytest.raises((InvalidRequestError, LookupError)):
        fake_issuer.bad_proofs("GET", URL, **members)


def test_the_control_plane_returns_the_catalogue(fake_issuer: RunningIssuer, ask: Send) -> None:
    body = {"method": "GET", "url": URL, "token": {"scp": "api:read"}}
    response = ask(f"{fake_issuer.url}/_fake/bad-proofs", "POST", body=json.dumps(body).encode())
    entry = next(entry for entry in response.json() if entry["name"] == "htm-other")
    assert {"name", "fields", "breaks", "status", "error", "times"} == entry.keys()
    assert (401, "invalid_dpop_proof", 1) == (entry["status"], entry["error"], entry["times"])
    assert ["Authorization", "DPoP"] == [name for name, _ in entry["fields"]]
    assert 400 == ask(f"{fake_issuer.url}/_fake/bad-proofs", "POST", body=b'{"method": "GET"}').status
