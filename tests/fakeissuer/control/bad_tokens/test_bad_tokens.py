"""A strict validator lists every rule that a token breaks: each bad token must break exactly the rule it names."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from fakeissuer import InvalidRequestError
from fakeissuer.control.bad_tokens import ROWS
from fakeissuer.control.bad_tokens.token_builder import BadToken, Row
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

README = Path(__file__).parents[4] / "README.rst"
LEEWAY_S = 120
DEPTH = 100
B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

# The rule that each kind breaks, as StrictReader names it; the first matching prefix applies.
BROKEN_BY_PREFIX = {
    "alg-": "alg",
    "key-of-another": "key",
    "key-wrong": "signature",
    "kid-unpublished": "key",
    "kid-very-long": "key",
    "kid-missing": "signature",
    "kid-": "kid",
    "signature-not-canonical": "encoding",
    "signature-padded": "encoding",
    "signature-plain-base64": "encoding",
    "signature-": "signature",
    "payload-changed": "signature",
    "payload-not-canonical": "encoding",
    "payload-padded": "b64token",
    "payload-": "payload",
    "jwk-": "key",
    "jku-": "key",
    "x5u-": "key",
    "x5c-": "key",
    "crit-": "crit",
    "b64-false-not-critical": "b64",
    "b64-false": "crit",
    "zip": "zip",
    "typ-": "typ",
    "header-": "header",
    "exp-": "exp",
    "nbf-": "nbf",
    "iat-": "iat",
    "iss-": "iss",
    "aud-": "aud",
    "cnf-": "cnf",
    "sub-": "sub",
    "jti-": "jti",
    "client-id-": "client_id",
    "scope-": "scope",
    "id-token-for": "kind",
    "id-token-of": "kind",
    "id-token": "aud and kind",  # an ordinary ID token for the client
    "refresh-token-of": "kind",
    "refresh-token": "parts",
    "logout-token": "kind",
    "security-event": "kind",
    "jarm-": "kind",
    "introspection-response": "kind",
    "userinfo-response": "exp",
    "mark-": "kind",
    "org-server-token": "key and iss and aud and typ",  # an ordinary token of the org server
    "token-of-another-server": "key and iss and aud",
    "one-part": "parts",
    "two-parts": "parts",
    "four-parts": "parts",
    "five-parts": "parts",
    "dots-alone": "header",
    "sd-jwt-shape": "encoding",
    "oversize": "size",
}


def test_there_are_more_than_200_rows_under_names_of_their_own_and_the_readme_has_their_number() -> None:
    assert len(ROWS) > 200
    assert README.read_text(encoding="utf-8").count(f"{len(ROWS)} bad tokens") == 3
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.fixture(scope="module")
def catalogue(_fake_issuer_servers: Callable[[str], RunningIssuer]) -> dict[str, tuple[BadToken, set[str]]]:
    """Each bad token by its name, with the rules that it breaks."""
    issuer = _fake_issuer_servers("okta")
    issuer.reset()
    bad_tokens = issuer.bad_tokens()
    keys = {jwk["kid"]: jwk for jwk in issuer.key_set()["keys"]}
    reader = StrictReader(keys, issuer.issuer_url(), "api://default", issuer.clock.now())
    assert reader.broken_rules(issuer.token()) == set()
    return {bad.name: (bad, reader.broken_rules(bad.token)) for bad in bad_tokens}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_bad_token_breaks_only_the_rule_that_it_names(
    row: Row, catalogue: dict[str, tuple[BadToken, set[str]]]
) -> None:
    bad, broken = catalogue[row.name]
    expected = next((rule for prefix, rule in BROKEN_BY_PREFIX.items() if row.name.startswith(prefix)), "b64token")
    assert broken == set(expected.split(" and "))
    assert (bad.status, bad.error) == ((400, "invalid_request") if broken == {"b64token"} else (401, "invalid_token"))
    assert bad.breaks == row.breaks


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_bad_token_can_be_sent_in_a_header(row: Row, catalogue: dict[str, tuple[BadToken, set[str]]]) -> None:
    token = catalogue[row.name][0].token
    assert "\r" not in token
    assert "\n" not in token
    assert token.encode("latin-1")


def test_pyjwt_accepts_a_valid_token_and_rejects_bad_ones(
    catalogue: dict[str, tuple[BadToken, set[str]]], fake_issuer: RunningIssuer
) -> None:
    key_set = jwt.PyJWKSet.from_dict(fake_issuer.key_set())
    known = {"signature", "alg", "iss", "aud", "parts"}
    bad_tokens = [bad.token for bad, broken in catalogue.values() if broken <= known]
    assert len(bad_tokens) > 30
    assert decode(fake_issuer.token(), key_set, fake_issuer)["aud"] == "api://default"
    for token in bad_tokens:
        with pytest.raises((jwt.PyJWTError, KeyError)):
            decode(token, key_set, fake_issuer)


def test_the_repr_of_a_bad_token_omits_the_token(catalogue: dict[str, tuple[BadToken, set[str]]]) -> None:
    for bad, _ in catalogue.values():
        assert bad.token not in repr(bad)


def test_bad_tokens_do_not_change_the_key_set(fake_issuer: RunningIssuer) -> None:
    before = fake_issuer.key_set()
    fake_issuer.bad_tokens()
    assert fake_issuer.key_set() == before


@pytest.mark.parametrize("profile", ["okta", "strict-rfc"])
def test_a_token_of_another_kind_has_the_audience_and_no_claim_of_our_access_tokens(profile: str) -> None:
    with running(profile=profile) as issuer:
        bad = {bad.name: bad.token for bad in issuer.bad_tokens("partner")}
    claims = jwt.decode(bad["id-token-of-keycloak"], options={"verify_signature": False})
    assert (claims["aud"], claims["azp"]) == ("api://partner", "api://partner")
    assert not claims.keys() & {"ver", "cid", "scp", "client_id", "scope"}


def test_each_custom_server_has_its_own_and_the_org_server_none(fake_issuer: RunningIssuer) -> None:
    partner = fake_issuer.bad_tokens("partner")
    assert len(partner) == len(ROWS)
    with pytest.raises(InvalidRequestError):
        fake_issuer.bad_tokens("org")
    with pytest.raises(InvalidRequestError):
        fake_issuer.bad_tokens("unknown")


def test_bad_tokens_do_not_need_a_second_server(fake_issuer: RunningIssuer) -> None:
    fake_issuer.remove("servers", "partner")
    assert len(fake_issuer.bad_tokens()) == len(ROWS)


def decode(token: str, key_set: jwt.PyJWKSet, issuer: RunningIssuer) -> dict[str, Any]:
    key = key_set[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience="api://default", issuer=issuer.issuer_url())


class Unreadable(Exception):
    """A part is malformed, so the following parts cannot be checked."""


class StrictReader:
    """Checks all rules instead of stopping at the first that is broken."""

    def __init__(self, keys: dict[str, dict[str, Any]], issuer: str, audience: str, now: float) -> None:
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.now = now

    def broken_rules(self, token: str) -> set[str]:
        if not B64TOKEN.fullmatch(token):
            return {"b64token"}
        parts = token.split(".")
        if len(parts) != 3:
            return {"parts"}
        try:
            header_bytes, payload_bytes, signature = (self._octets(part) for part in parts)
            header = self._object(header_bytes, "header")
            broken = {"size"} if len(token) > 16 * 1024 else set()
            broken |= self._header(header)
            if "zip" in header:
                return broken | self._signature(token, header, signature)
            claims = self._object(payload_bytes, "payload")
        except Unreadable as exc:
            return {str(exc)}
        return broken | self._signature(token, header, signature) | self._claims(claims)

    def _octets(self, part: str) -> bytes:
        try:
            octets = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        except ValueError as exc:
            raise Unreadable("encoding") from exc
        if jwt.utils.base64url_encode(octets).decode() != part:
            raise Unreadable("encoding")
        return octets

    def _object(self, octets: bytes, name: str) -> dict[str, Any]:
        def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(dict(pairs)) != len(pairs):
                raise ValueError
            return dict(pairs)

        try:
            text = octets.decode("utf-8")
            if max(self._depths(text), default=0) > DEPTH:
                raise Unreadable(name)
            value = json.loads(re.sub(r"\b9{5000}\b", "Infinity", text), object_pairs_hook=once)
        except ValueError as exc:
            raise Unreadable(name) from exc
        if not isinstance(value, dict):
            raise Unreadable(name)
        return value

    def _depths(self, text: str) -> list[int]:
        depth, depths = 0, []
        for character in text:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
            depths.append(depth)
        return depths

    def _header(self, header: dict[str, Any]) -> set[str]:
        broken = set()
        if header.get("alg") != "RS256":
            broken.add("alg")
        if "crit" in header:
            broken.add("crit")
        elif "b64" in header:
            broken.add("b64")
        if "zip" in header:
            broken.add("zip")
        if "kid" in header and not isinstance(header["kid"], str):
            broken.add("kid")
        if header.get("typ", "JWT") not in ("JWT", "at+jwt"):
            broken.add("typ")
        return broken

    def _signature(self, token: str, header: dict[str, Any], signature: bytes) -> set[str]:
        if header.get("alg") != "RS256" or not isinstance(header.get("kid", ""), str):
            return set()  # without an algorithm or a key's name there is nothing to verify with
        if "kid" in header and header["kid"] not in self.keys:
            return {"key"}
        candidates = [self.keys[header["kid"]]] if "kid" in header else list(self.keys.values())
        signing_input = token.rpartition(".")[0].encode()
        verifier = jwt.get_algorithm_by_name("RS256")
        if any(verifier.verify(signing_input, jwt.PyJWK(jwk).key, signature) for jwk in candidates):
            return set()
        return {"signature"}

    def _claims(self, claims: dict[str, Any]) -> set[str]:
        broken: set[str] = {name for name in ("exp", "nbf", "iat") if name in claims and not is_moment(claims[name])}
        if "exp" not in claims or ("exp" not in broken and claims["exp"] + LEEWAY_S <= self.now):
            broken.add("exp")
        for name in ("nbf", "iat"):
            if name in claims and name not in broken and claims[name] - LEEWAY_S > self.now:
                broken.add(name)
        if claims.get("iss") != self.issuer:
            broken.add("iss")
        audiences = claims.get("aud")
        if self.audience not in (audiences if isinstance(audiences, list) else [audiences]):
            broken.add("aud")
        if "cnf" in claims:
            broken.add("cnf")
        broken |= {name for name in ("sub", "jti", "client_id") if not isinstance(claims.get(name, ""), str)}
        if not is_scope(claims.get("scope", "")):
            broken.add("scope")
        if is_of_another_kind(claims):
            broken.add("kind")
        return broken


def is_scope(value: object) -> bool:
    if isinstance(value, list):
        return all(is_scope(item) and " " not in item for item in value)
    return isinstance(value, str) and re.fullmatch(r"[ \x21\x23-\x5b\x5d-\x7e]*", value) is not None


ACCESS_TOKEN_MARKS = {
    "typ": ["bearer"],
    "token_use": ["access"],
    "token_type": ["bearer"],
    "tokenType": ["access-token"],
    "TokenType": ["access-token"],
    "tokenName": ["access_token"],
    "purpose": ["access_token"],
}
OTHER_KINDS_MEMBERS = {
    *("at_hash", "c_hash", "s_hash", "ds_hash"),
    *(
        "urn:openid:params:jwt:claim:auth_req_id",
        "events",
        "token_introspection",
        "code",
        "access_token",
        "id_token",
        "error",
    ),
}


def is_of_another_kind(claims: dict[str, Any]) -> bool:
    """Return whether a claim says that this is not an access token."""
    wrong = [name for name, good in ACCESS_TOKEN_MARKS.items() if str(claims.get(name, good[0])).lower() not in good]
    return bool(wrong or OTHER_KINDS_MEMBERS & claims.keys() or str(claims.get("jti")).startswith("ID."))


def is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
