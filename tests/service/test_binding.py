from __future__ import annotations

from typing import Any

import pytest

from fakeissuer import DPoPClient
from service.binding import BindingCheck, BindingRules
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.errors import InvalidToken, NonceRequired, Reason, TokenError
from service.tokens.binding.possession import Possession
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal

ISSUER, TOKEN, URL = "https://issuer.example", "a-token", "https://api.example.com/orders"
CERTIFICATE, OTHER_CERTIFICATE = "c" * 43, "d" * 43
KEY = DPoPClient()
PLAIN: dict[str, Any] = {}
BOUND = {"cnf": {"jkt": KEY.thumbprint}}
TO_CERTIFICATE = {"cnf": {"x5t#S256": CERTIFICATE}}
TO_BOTH = {"cnf": {"jkt": KEY.thumbprint, "x5t#S256": CERTIFICATE}}


def _principal(claims: dict[str, Any]) -> Principal:
    return Principal.from_claims({"iss": ISSUER, "sub": "alice", "exp": 2_000_000_000} | claims)


def _proof(clock: ManualClock, **claims: Any) -> str:
    return KEY.proof("GET", URL, access_token=TOKEN, claims={"iat": clock.now()} | claims)


def _possession(*proofs: str, **fields: Any) -> Possession:
    return Possession(**{"proofs": proofs, "method": "GET", "url": URL} | fields)


async def _outcome(check: BindingCheck, claims: dict[str, Any], scheme: str, possession: Possession | None) -> str:
    """Return the reason of a rejection, or ``accepted``."""
    principal, credentials = _principal(claims), Credentials(scheme=scheme, token=TOKEN, possession=possession)
    try:
        await check.check(principal, credentials)
    except TokenError as exc:
        return exc.reason
    return "accepted"


@pytest.mark.gen_test
@pytest.mark.parametrize("mode", ["off", "allowed", "required"])
@pytest.mark.parametrize(
    ("claims", "scheme", "offered", "outcomes"),
    [
        # the outcome if DPoP is off, allowed, required
        (PLAIN, "Bearer", "nothing", ("accepted", "accepted", "not_bound")),
        (PLAIN, "Bearer", "proof", ("accepted", "accepted", "not_bound")),
        (PLAIN, "DPoP", "proof", ("not_bound", "not_bound", "not_bound")),
        (BOUND, "Bearer", "nothing", ("sender_constrained", "sender_constrained", "sender_constrained")),
        (BOUND, "Bearer", "proof", ("sender_constrained", "sender_constrained", "sender_constrained")),
        (BOUND, "DPoP", "nothing", ("sender_constrained", "missing_proof", "missing_proof")),
        (BOUND, "DPoP", "two proofs", ("sender_constrained", "several_proofs", "several_proofs")),
        (BOUND, "DPoP", "proof", ("sender_constrained", "accepted", "accepted")),
        (BOUND, "DPoP", "proof and certificate", ("sender_constrained", "accepted", "accepted")),
        (TO_CERTIFICATE, "Bearer", "nothing", ("sender_constrained", "sender_constrained", "sender_constrained")),
        (TO_CERTIFICATE, "Bearer", "certificate", ("accepted", "accepted", "not_bound")),
        (TO_CERTIFICATE, "Bearer", "another certificate", ("sender_constrained",) * 3),
        (TO_CERTIFICATE, "DPoP", "proof and certificate", ("not_bound", "not_bound", "not_bound")),
        (TO_BOTH, "Bearer", "certificate", ("sender_constrained", "sender_constrained", "sender_constrained")),
        (TO_BOTH, "DPoP", "proof", ("sender_constrained", "sender_constrained", "sender_constrained")),
        (TO_BOTH, "DPoP", "proof and certificate", ("sender_constrained", "accepted", "accepted")),
    ],
)
async def test_a_token_is_accepted_only_with_each_of_its_keys(
    mode: str,
    claims: dict[str, Any],
    scheme: str,
    offered: str,
    outcomes: tuple[str, str, str],
    cache: SharedCache,
    clock: ManualClock,
) -> None:
    proof = _proof(clock)
    possession = {
        "nothing": None if scheme == "Bearer" else _possession(),
        "proof": _possession(proof),
        "two proofs": _possession(proof, proof),
        "certificate": _possession(certificate=CERTIFICATE),
        "another certificate": _possession(certificate=OTHER_CERTIFICATE),
        "proof and certificate": _possession(proof, certificate=CERTIFICATE),
    }[offered]
    check = BindingCheck(cache, clock=clock, default=BindingRules(dpop=mode))
    expected = dict(zip(("off", "allowed", "required"), outcomes, strict=True))[mode]
    assert expected == await _outcome(check, claims, scheme, possession)


@pytest.mark.gen_test
async def test_the_rules_of_the_issuer_and_then_of_the_handler_take_precedence(
    cache: SharedCache, clock: ManualClock
) -> None:
    strict = BindingRules(dpop="required")
    by_issuer = BindingCheck(cache, clock=clock, rules={ISSUER: strict})
    assert "not_bound" == await _outcome(by_issuer, PLAIN, "Bearer", None)
    assert "accepted" == await _outcome(by_issuer, PLAIN, "Bearer", _possession(dpop="allowed"))
    by_default = BindingCheck(cache, clock=clock, default=strict, rules={ISSUER: BindingRules()})
    assert "accepted" == await _outcome(by_default, PLAIN, "Bearer", None)
    assert "not_bound" == await _outcome(by_default, PLAIN, "Bearer", _possession(dpop="required"))


def test_bearer_tokens_are_checked_only_if_an_issuer_requires_proofs(cache: SharedCache, clock: ManualClock) -> None:
    assert not BindingCheck(cache, clock=clock).requires_proofs
    assert BindingCheck(cache, clock=clock, rules={ISSUER: BindingRules(dpop="required")}).requires_proofs


@pytest.mark.gen_test
async def test_a_proof_is_accepted_once(binding: BindingCheck, clock: ManualClock) -> None:
    proof = _proof(clock)
    assert "accepted" == await _outcome(binding, BOUND, "DPoP", _possession(proof))
    assert "proof_replayed" == await _outcome(binding, BOUND, "DPoP", _possession(proof))
    clock.advance(60)
    assert "proof_replayed" == await _outcome(binding, BOUND, "DPoP", _possession(proof))
    clock.advance(1)
    assert "proof_too_old" == await _outcome(binding, BOUND, "DPoP", _possession(proof))


@pytest.mark.gen_test
async def test_an_invalid_proof_is_not_recorded(binding: BindingCheck, clock: ManualClock) -> None:
    thief = DPoPClient(now=clock.now).proof("GET", URL, access_token=TOKEN, claims={"jti": "one"})
    assert "proof_key_mismatch" == await _outcome(binding, BOUND, "DPoP", _possession(thief))
    assert "accepted" == await _outcome(binding, BOUND, "DPoP", _possession(_proof(clock, jti="one")))


@pytest.mark.gen_test
async def test_without_an_external_address_no_proof_is_accepted(binding: BindingCheck, clock: ManualClock) -> None:
    assert "proof_url" == await _outcome(binding, BOUND, "DPoP", _possession(_proof(clock), url=None))


@pytest.mark.gen_test
async def test_a_nonce_is_given_required_and_renewed(cache: SharedCache, clock: ManualClock) -> None:
    check = BindingCheck(cache, clock=clock, default=BindingRules(needs_nonce=True))
    principal = _principal(BOUND)

    async def send(nonce: str | None, **fields: Any) -> Possession:
        claims = {} if nonce is None else {"nonce": nonce}
        possession = _possession(_proof(clock, **claims), **fields)
        await check.check(principal, Credentials(scheme="DPoP", token=TOKEN, possession=possession))
        return possession

    with pytest.raises(NonceRequired) as exc_info:
        await send(None)
    nonce = exc_info.value.nonce
    assert (Reason.PROOF_NONCE, None) == (exc_info.value.reason, (await send(nonce)).next_nonce)
    clock.advance(150)
    following = (await send(nonce)).next_nonce
    assert following not in {None, nonce}
    assert (await send(following)).next_nonce is None
    clock.advance(150)
    with pytest.raises(NonceRequired) as exc_info:
        await send(nonce)
    assert exc_info.value.nonce not in {None, nonce, following}
    with pytest.raises(NonceRequired):
        await send(exc_info.value.nonce, scope="another handler")
    await send("whatever", needs_nonce=False)


@pytest.mark.gen_test
async def test_a_nonce_of_one_issuer_is_not_accepted_for_another(cache: SharedCache, clock: ManualClock) -> None:
    check = BindingCheck(cache, clock=clock, default=BindingRules(needs_nonce=True))
    nonces = []
    for issuer in (ISSUER, "https://other.example"):
        principal = _principal(BOUND | {"iss": issuer})
        credentials = Credentials(scheme="DPoP", token=TOKEN, possession=_possession(_proof(clock)))
        with pytest.raises(NonceRequired) as exc_info:
            await check.check(principal, credentials)
        nonces.append(exc_info.value.nonce)
    assert nonces[0] != nonces[1]
    assert "proof_nonce" == await _outcome(check, BOUND, "DPoP", _possession(_proof(clock, nonce=nonces[1])))


@pytest.mark.gen_test
async def test_a_binding_of_an_unknown_kind_is_rejected(binding: BindingCheck, clock: ManualClock) -> None:
    with pytest.raises(InvalidToken):
        await binding.check(
            _principal({"cnf": {"kid": "a"}}),
            Credentials(scheme="DPoP", token=TOKEN, possession=_possession(_proof(clock))),
        )
