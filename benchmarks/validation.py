"""The cost of validating a token, as ratios to the bare signature check.

Run as ``python benchmarks/validation.py``. The candidates are timed in turns within one run, so that a machine
whose speed drifts drifts for all of them alike; the ratios are what to quote, not the microseconds.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jwt as pyjwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

import fakeissuer
from service.authenticator import Authenticator
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.issuers.keys import RemoteKeySet
from service.settings.program import Settings
from service.tokens import jws
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import check_claims
from service.tokens.credentials import Credentials
from service.tokens.presented import PresentedToken
from service.tokens.token_kinds import check_type
from service.validators import jwt
from service.validators.base import ValidatorContext

ROUNDS, PER_ROUND = 60, 400
NEVER_SEEN_AT_MOST, SEEN_AT_MOST, MEMORY_AT_MOST_MB = 1.7, 0.2, 64


def main() -> None:
    with fakeissuer.running() as issuer:
        tokens = [issuer.token(sub="alice@example.com", scp="api:read api:write") for _ in range(PER_ROUND)]
        asyncio.run(_measure(issuer.issuer_url(), tokens))


async def _measure(issuer: str, tokens: list[str]) -> None:
    clock, client = SystemClock(), JSONClient()
    cache = open_cache("memory://", clock=clock)
    context = ValidatorContext(client=client, clock=clock, token_cache=ValidatedTokenCache(clock=clock), cache=cache)
    validator = jwt.build(Settings(issuer=issuer).trusted_issuers[0], context)
    authenticator = Authenticator([validator], token_cache=context.token_cache, deny_list=DenyList(cache, clock=clock))
    credentials = [Credentials(scheme="Bearer", token=token) for token in tokens]
    await authenticator.authenticate(credentials[0])  # fetches the keys

    keys = RemoteKeySet(issuer, client=client, clock=clock)
    kid = pyjwt.get_unverified_header(tokens[0])["kid"]
    (jwk,) = await keys.select(algorithm="RS256", kid=kid)
    public_key = jwk.key
    assert isinstance(public_key, RSAPublicKey)
    signed = [_signature_and_input(token) for token in tokens]

    def bare() -> None:
        for signature, signing_input in signed:
            public_key.verify(signature, signing_input, padding.PKCS1v15(), hashes.SHA256())

    def never_seen() -> None:
        for token in tokens:
            coroutine = validator.validate(PresentedToken.read(token))
            try:
                coroutine.send(None)  # nothing is awaited that is not at hand
            except StopIteration:
                continue
            raise AssertionError("validating a token with a cached key awaited something")

    rules = ClaimRules(issuer=issuer, audiences=frozenset({"api://default"}))
    algorithms = frozenset({"RS256"})

    def rules_alone() -> None:
        now = clock.now()
        for token in tokens:
            read = PresentedToken.read(token)
            assert read.jws is not None
            check_type(read.jws.header, rules)
            algorithm, _ = jws.check_header(read.jws.header, algorithms=algorithms)
            jws.verify(read.jws, algorithm=algorithm, keys=[jwk])
            check_claims(read.unverified_claims, rules, now=now)

    def seen() -> None:
        for one in credentials:
            assert authenticator.get_cached(one) is not None

    def by_pyjwt() -> None:
        for token in tokens:
            pyjwt.decode(token, public_key, algorithms=["RS256"], audience="api://default", issuer=issuer)

    candidates = {"rules": rules_alone, "validator": never_seen, "seen": seen, "PyJWT": by_pyjwt}
    ratios = _ratios(bare, candidates)
    print(f"a token never seen, read, verified, claims checked: {ratios['rules']:.2f} x (at most {NEVER_SEEN_AT_MOST})")
    print(f"... with its key looked up, its principal made and remembered: {ratios['validator']:.2f} x")
    print(f"a token seen before: {ratios['seen']:.2f} x (at most {SEEN_AT_MOST})")
    print(f"for comparison, PyJWT's own decode: {ratios['PyJWT']:.2f} x")
    _measure_memory(context.token_cache, authenticator, tokens[0])
    await validator.close()
    await keys.close()
    client.close()


def _ratios(bare: Callable[[], None], candidates: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return each one's median time as a multiple of the bare check's right before it."""
    gc.collect()
    gc.disable()
    rounds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, run in candidates.items():
            unit = _time(bare)
            rounds[name].append(_time(run) / unit)
    gc.enable()
    print(f"bare signature check: {1e6 * _time(bare) / PER_ROUND:.1f} us")
    return {name: statistics.median(values) for name, values in rounds.items()}


def _time(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _measure_memory(token_cache: ValidatedTokenCache, authenticator: Authenticator, token: str) -> None:
    """Remember a million distinct tokens, as a flood of good ones would."""
    before = _resident_mb()
    claims = PresentedToken.read(token).unverified_claims
    for number in range(1_000_000):
        principal = jwt.Principal.from_claims({**claims, "jti": f"AT.{number}"})
        token_cache.put(f"{token}{number}", ValidatedToken(principal, lambda: True))
    assert authenticator.get_cached(Credentials(scheme="Bearer", token=f"{token}{999_999}")) is not None
    print(f"a million distinct tokens: {_resident_mb() - before:.1f} MB more (at most {MEMORY_AT_MOST_MB})")


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _signature_and_input(token: str) -> tuple[bytes, bytes]:
    signing_input, _, signature = token.rpartition(".")
    return base64.urlsafe_b64decode(signature + "=="), signing_input.encode()


if __name__ == "__main__":
    main()
