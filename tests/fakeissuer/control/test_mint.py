from __future__ import annotations

from typing import Any

import jwt
import pytest

from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import MintedToken, MintRequest
from fakeissuer.errors import InvalidRequestError, NotFoundError
from fakeissuer.model.records import to_record
from fakeissuer.state.seed import SERVICE_APP, WEB_APP
from fakeissuer.state.state import IssuerState

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def minted(state: IssuerState, **members: Any) -> MintedToken:
    return mint(state, to_record(members, MintRequest))


def published(state: IssuerState, token: str) -> list[jwt.PyJWK]:
    kid = jwt.get_unverified_header(token)["kid"]
    keys = state.key_rings.for_server(state.registry.server("default")).key_set()["keys"]
    return [jwt.PyJWK(jwk) for jwk in keys if jwk["kid"] == kid and jwk["kty"] != "AKP"]


def verify(state: IssuerState, token: str, alg: str = "RS256") -> dict[str, Any]:
    claims: dict[str, Any] = {}
    for key in published(state, token):
        try:
            claims = jwt.decode(token, key, algorithms=[alg], audience="api://default", options={"verify_exp": False})
        except jwt.InvalidSignatureError:
            continue
    return claims


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_each_algorithm_verifies_with_the_key_set(state: IssuerState, alg: str) -> None:
    assert verify(state, minted(state, alg=alg).token, alg)["aud"] == "api://default"


def test_without_a_subject_the_service_app_is_the_subject(state: IssuerState) -> None:
    claims = minted(state).claims
    assert (claims["sub"], claims["cid"], claims["scp"]) == (SERVICE_APP, SERVICE_APP, ["api:read"])


def test_the_subject_can_be_a_registered_or_unregistered_user(state: IssuerState) -> None:
    for login in ("alice@example.com", "carol@example.com"):
        claims = minted(state, sub=login).claims
        assert (claims["sub"], claims["cid"], claims["uid"][:3], len(claims["uid"])) == (login, WEB_APP, "00u", 20)
    assert minted(state, sub="carol@example.com").claims["uid"] == claims["uid"]


def test_the_subject_can_be_another_client(state: IssuerState) -> None:
    for members in ({"cid": WEB_APP}, {"sub": WEB_APP}, {"sub": WEB_APP, "cid": WEB_APP}):
        claims = minted(state, **members).claims
        assert (claims["sub"], claims["cid"], "uid" in claims) == (WEB_APP, WEB_APP, False)


@pytest.mark.parametrize("scp", [["a", "b"], "a b", " a  b "])
def test_scopes_can_be_a_list_or_a_string(state: IssuerState, scp: Any) -> None:
    assert minted(state, scp=scp).claims["scp"] == ["a", "b"]


def test_the_audience_can_be_a_list(state: IssuerState) -> None:
    assert minted(state, aud=["a", "api://default"]).claims["aud"] == ["a", "api://default"]


def test_a_lifetime_counts_from_now_and_an_expired_token_had_a_full_one(state: IssuerState) -> None:
    state.clock.freeze()
    now = int(state.clock.now())
    claims = minted(state, expires_in=60).claims
    assert (claims["iat"], claims["exp"]) == (now, now + 60)
    for expires_in in (0, -600):
        claims = minted(state, expires_in=expires_in).claims
        assert (claims["iat"], claims["exp"]) == (now + expires_in - 3600, now + expires_in)


def test_claims_and_header_members_can_be_set_and_removed(state: IssuerState) -> None:
    token = minted(state, claims={"ver": None, "team": "red"}, header={"typ": "at+jwt", "kid": None, "crit": ["x"]})
    assert list(token.header) == ["alg", "typ", "crit"]
    assert ("ver" in token.claims, token.claims["team"]) == (False, "red")
    assert jwt.utils.base64url_decode(token.token.split(".")[0]) == b'{"alg":"RS256","typ":"at+jwt","crit":["x"]}'


def test_an_unpublished_key_is_not_in_the_key_set(state: IssuerState) -> None:
    assert published(state, minted(state, key="unpublished").token) == []


@pytest.mark.parametrize("name", ["active", "next", "same-kid"])
def test_a_published_key_verifies(state: IssuerState, name: str) -> None:
    assert verify(state, minted(state, key=name).token) != {}


def test_the_expired_key_is_published_only_after_a_rotation(state: IssuerState) -> None:
    assert published(state, minted(state, key="expired").token) == []
    state.key_rings.for_server(state.registry.server("default")).rotate(state.clock.now())
    assert verify(state, minted(state, key="expired").token) != {}


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [("enc", "use", "enc"), ("wrong-key-ops", "key_ops", ["encrypt"]), ("unknown-kty", "kty", "AKP")],
)
def test_an_unusual_key_is_published_with_a_wrong_member(
    state: IssuerState, name: str, member: str, value: Any
) -> None:
    kid = minted(state, key=name).header["kid"]
    keys = state.key_rings.for_server(state.registry.server("default")).key_set()["keys"]
    assert [key[member] for key in keys if key["kid"] == kid] == [value]


def test_a_small_key_has_1024_bits(state: IssuerState) -> None:
    key = published(state, minted(state, key="small").token)[0].key
    assert key.key_size == 1024


def test_two_keys_share_one_kid_and_the_second_signs(state: IssuerState) -> None:
    token = minted(state, key="same-kid").token
    first, second = published(state, token)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, first, algorithms=["RS256"], audience="api://default")
    assert jwt.decode(token, second, algorithms=["RS256"], audience="api://default")


def test_a_key_is_named_by_its_kid(state: IssuerState) -> None:
    kid = state.key_rings.for_server(state.registry.server("default")).signing_key("next").kid
    assert minted(state, key=kid).header["kid"] == kid
    with pytest.raises(NotFoundError):
        minted(state, key="unknown")


def test_a_key_that_cannot_sign_so_is_refused_and_not_published(state: IssuerState) -> None:
    ring = state.key_rings.for_server(state.registry.server("default"))
    before = ring.key_set()
    for key in ("active", "small", "unpublished"):
        with pytest.raises(InvalidRequestError):
            minted(state, key=key, alg="ES256")
    assert ring.key_set() == before


def test_a_forged_token_is_not_stored(state: IssuerState) -> None:
    for members in ({"alg": "none"}, {"alg": "HS256"}, {"key": "unpublished"}):
        assert state.store.find(minted(state, **members).token) is None
    assert state.store.find(minted(state).token) is not None


def test_a_refresh_token_is_opaque(state: IssuerState) -> None:
    token = minted(state, kind="refresh")
    assert (len(token.token), token.header) == (43, {})


def test_an_unknown_refresh_token_is_rejected(state: IssuerState) -> None:
    for other in ("unknown", minted(state).token):
        with pytest.raises(InvalidRequestError):
            minted(state, refresh_token=other)


def test_the_repr_omits_the_token(state: IssuerState) -> None:
    token = minted(state)
    assert token.token not in repr(token)
    assert token["token"] == token.token


@pytest.mark.parametrize("more", [{"kind": "id"}, {"header": {"typ": "x"}}, {"alg": "none"}, {"key": "next"}])
def test_an_opaque_token_cannot_have_jwt_members(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="opaque"):
        to_record({"opaque": True, **more}, MintRequest)
