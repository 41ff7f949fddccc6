"""The operations that micro.py measures: tokens of each algorithm, claims, requirements, error responses."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coroutines import finish
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pydantic import SecretStr
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

import fakeissuer
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import SystemClock
from service.errors import InvalidToken, Reason
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens import jws
from service.tokens.binding.possession import Possession
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import check_claims
from service.tokens.credentials import Credentials
from service.tokens.jwk import JWK
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.tokens.token_kinds import check_type
from service.tracing.spans import open_tracing
from service.validators import introspection, jwt
from service.validators.base import ValidatorContext
from service.web.application.dispatch import Dispatcher
from service.web.policy.requirements import Requirements
from service.web.policy.scopes import parse_scopes
from service.web.responses.challenge import error_response_for

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA")
TOKENS = 40
"""Distinct tokens of each algorithm, and so operations in a round."""
NEW_AT_MOST, KNOWN_AT_MOST, PROOF_AT_MOST = 1.7, 0.2, 2.0
"""Limits of the ratio to the bare verification."""

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation to measure.

    Args:
        run: Runs it for the token with this number.
        before: Called before each round, outside the measurement.
        bare: The name of the operation that the ratio is to.
        at_most: The limit of the ratio.
    """

    name: str
    run: Callable[[int], object]
    before: Callable[[], None] = lambda: None
    bare: str = ""
    at_most: float | None = None
    comment: str = ""


@contextlib.asynccontextmanager
async def prepared_operations() -> AsyncIterator[tuple[list[Operation], Callable[[int], None]]]:
    """Yield the operations, which await nothing, and a function that caches so many distinct tokens."""
    with fakeissuer.running() as issuer:
        tokens = {
            algorithm: [
                issuer.token(sub="alice@example.com", scp="api:read api:write", alg=algorithm) for _ in range(TOKENS)
            ]
            for algorithm in ALGORITHMS
        }
        opaque = issuer.token(opaque=True)
        url = issuer.issuer_url()
        clock, client = SystemClock(), JSONClient()
        token_cache, cache = ValidatedTokenCache(clock=clock), open_cache("memory://", clock=clock)
        context = ValidatorContext(client=client, clock=clock, token_cache=token_cache, cache=cache)
        (trusted,) = Settings(issuer=url, algorithms=ALGORITHMS).trusted_issuers
        (introspecting,) = Settings(
            issuer=url,
            validation="introspection",
            client_id="0oaapi00000000000001",
            client_secret=SecretStr("api-secret-for-tests-only-00000000001"),
            introspection_cache_lifetime=3600,
        ).trusted_issuers
        validator, introspector = jwt.build(trusted, context), introspection.build(introspecting, context)
        authenticator = Authenticator(
            [validator],
            token_cache=token_cache,
            deny_list=DenyList(cache, clock=clock),
            binding=BindingCheck(cache, clock=clock),
        )
        operations: list[Operation] = []
        for algorithm in ALGORITHMS:
            read = [PresentedToken.read(token) for token in tokens[algorithm]]
            keys = await context.issuer(trusted).keys.select(algorithm=algorithm, kid=_jws(read[0]).header.kid)
            operations.append(Operation(name=_bare_name(algorithm), run=_bare(algorithm, keys[0].key, read)))
            if algorithm == "RS256":
                operations.append(_checks(tokens[algorithm], keys, jwt.rules_for(trusted), now=clock.now()))
            operations += _token_operations(algorithm, tokens[algorithm], authenticator, token_cache)
        operations.append(_proof_operation(issuer, authenticator))
        await introspector.validate(PresentedToken.read(opaque))
        claims = PresentedToken.read(tokens["RS256"][0]).unverified_claims
        operations += _other_operations(claims, rules=jwt.rules_for(trusted), now=clock.now())
        operations.append(
            Operation(
                name="introspection response from its cache",
                run=lambda _: finish(introspector.validate(PresentedToken.read(opaque))),
                before=token_cache.clear,
            )
        )

        try:
            yield operations, functools.partial(_cache_tokens, token_cache, claims)
        finally:
            await validator.close()
            await introspector.close()
            client.close()


def _bare_name(algorithm: str) -> str:
    return f"{algorithm}, bare verification"


def _jws(token: PresentedToken) -> jws.CompactJWS:
    assert token.jws is not None
    return token.jws


def _checks(tokens: Sequence[str], keys: Sequence[JWK], rules: ClaimRules, *, now: float) -> Operation:
    """Return the pure part of the validation of a new token: without the key set, the principal and the cache."""
    algorithms = frozenset(ALGORITHMS)

    def check(number: int) -> None:
        token = PresentedToken.read(tokens[number])
        signed = _jws(token)
        check_type(signed.header, rules)
        algorithm, _ = jws.check_header(signed.header, algorithms=algorithms)
        jws.verify(signed, algorithm=algorithm, keys=keys)
        check_claims(token.unverified_claims, rules, now=now)

    return Operation(
        name="RS256, new token without principal and cache", run=check, bare=_bare_name("RS256"), at_most=NEW_AT_MOST
    )


def _token_operations(
    algorithm: str, tokens: Sequence[str], authenticator: Authenticator, token_cache: ValidatedTokenCache
) -> Iterator[Operation]:
    credentials = [Credentials(scheme="Bearer", token=token) for token in tokens]

    def validate(number: int) -> object:
        assert authenticator.get_cached(credentials[number]) is None
        return finish(authenticator.authenticate(credentials[number]))

    yield Operation(name=f"{algorithm}, new token", run=validate, before=token_cache.clear, bare=_bare_name(algorithm))

    def look_up(number: int) -> None:
        assert authenticator.get_cached(credentials[number]) is not None

    # The new tokens of this round are known now.
    yield Operation(
        name=f"{algorithm}, known token",
        run=look_up,
        bare=_bare_name(algorithm),
        at_most=KNOWN_AT_MOST if algorithm == "RS256" else None,
    )


def _proof_operation(issuer: fakeissuer.RunningIssuer, authenticator: Authenticator) -> Operation:
    """Return the authentication of a known token that is bound by DPoP, each time with a fresh proof."""
    client, url = fakeissuer.DPoPClient(), "https://api.example.com/orders"
    token = issuer.token(dpop_jkt=client.thumbprint)
    offered: list[Credentials] = []

    def make_proofs() -> None:
        offered[:] = [
            Credentials(
                scheme="DPoP",
                token=token,
                possession=Possession(proofs=(client.proof("GET", url, access_token=token),), method="GET", url=url),
            )
            for _ in range(TOKENS)
        ]
        finish(authenticator.revalidate(token))

    def authenticate(number: int) -> None:
        assert authenticator.get_cached(offered[number]) is None
        finish(authenticator.authenticate(offered[number]))

    return Operation(
        name="known token with an ES256 proof",
        run=authenticate,
        before=make_proofs,
        bare=_bare_name("ES256"),
        at_most=PROOF_AT_MOST,
    )


def _bare(algorithm: str, key: Any, read: Sequence[PresentedToken]) -> Callable[[int], object]:
    """Return the verification that ``cryptography`` offers, with signatures in the form that it expects."""
    signed = [(_jws(token).signature, _jws(token).signing_input) for token in read]
    if algorithm == "EdDSA":
        return lambda number: key.verify(*signed[number])
    kind = _HASHES[algorithm[2:]]
    if algorithm.startswith("RS"):
        return lambda number: key.verify(*signed[number], padding.PKCS1v15(), kind())
    if algorithm.startswith("PS"):
        return lambda number: key.verify(
            *signed[number], padding.PSS(mgf=padding.MGF1(kind()), salt_length=kind().digest_size), kind()
        )
    signed = [(_der(signature), signing_input) for signature, signing_input in signed]
    return lambda number: key.verify(*signed[number], ec.ECDSA(kind()))


def _der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


def _other_operations(claims: dict[str, Any], *, rules: ClaimRules, now: float) -> Iterator[Operation]:
    principal = Principal.from_claims(claims)
    requirements = Requirements(scopes=parse_scopes("api:read api:write"))
    yield Operation(name="claims", run=lambda _: check_claims(claims, rules, now=now), comment="all checks")
    yield Operation(
        name="requirements",
        run=lambda _: requirements.check(principal, now=now),
        comment="of a handler with two scopes",
    )
    yield Operation(
        name="error response",
        run=lambda _: error_response_for(
            InvalidToken(Reason.EXPIRED, "300 s ago, leeway 120 s", claim="exp"),
            realm="api",
            resource_metadata="https://api.example.com/.well-known/oauth-protected-resource",
        ),
        comment="to an expired token, with its challenge",
    )
    start_line, headers = RequestStartLine("GET", "/things", "HTTP/1.1"), HTTPHeaders({"Host": "api.example.com"})
    request = HTTPServerRequest(start_line=start_line, headers=headers)
    for name, tracing, comment in [
        ("request ID", None, "of a request, tracing off"),
        ("request ID and span", open_tracing(is_on=True), "without a provider, so that nothing is recorded"),
    ]:
        dispatcher = Dispatcher(lambda _: None, tracing=tracing)
        yield Operation(name=name, run=functools.partial(_identify, dispatcher, request), comment=comment)


def _identify(dispatcher: Dispatcher, request: HTTPServerRequest, _number: int) -> object:
    return dispatcher.identify(request)


def _cache_tokens(token_cache: ValidatedTokenCache, claims: dict[str, Any], count: int) -> None:
    """Cache distinct tokens, as a flood of valid ones would."""
    token_cache.clear()
    for number in range(count):
        principal = Principal.from_claims({**claims, "jti": f"AT.{number}"})
        token_cache.put(f"{number}", ValidatedToken(principal, lambda: True))
    assert token_cache.get(f"{count - 1}") is not None
