"""The cost of the parts of a request: tokens of each algorithm, claims, requirements, error responses.

Run it as ``python benchmarks/micro.py``; ``--short`` takes less than a minute. The rounds of the operations alternate
within one run, and each ratio is to the bare verification of the same algorithm in the same round, so that a machine
whose speed drifts drifts for both. Instructions are counted where valgrind is installed; the load of the machine does
not change them, but valgrind offers fewer processor extensions, so that signatures take more instructions in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounting import resident_megabytes
from callgrind import callgrind_command, total_instructions
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
COUNTED = 10
"""Operations whose instructions are counted."""
NEW_AT_MOST, KNOWN_AT_MOST, PROOF_AT_MOST, MEMORY_AT_MOST_MB = 1.7, 0.2, 2.0, 64

_COUNT = "--count-instructions"
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The cost of one operation.

    Args:
        microseconds: The median time.
        ratio: The median ratio to the bare verification of the same algorithm, or None if there is none.
        allocations: The memory blocks that an operation leaves allocated, its result included.
        instructions: Those of the processor, or None without valgrind.
        target: The limit, and whether it is met; "" if there is none.
    """

    name: str
    microseconds: float
    ratio: float | None = None
    allocations: float | None = None
    instructions: float | None = None
    target: str = ""
    comment: str = ""


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


def run(*, short: bool) -> list[Figure]:
    """Measure every operation."""
    instructions = _count_in_valgrind() if shutil.which("valgrind") and shutil.which("vgdb") else {}
    return asyncio.run(_measure(instructions, short=short))


async def _measure(instructions: dict[str, float], *, short: bool) -> list[Figure]:
    async with _operations() as (operations, measure_memory):
        # First, since the process has no free memory yet that it would use before it takes more.
        memory = measure_memory(100_000 if short else 1_000_000)
        allocations = {operation.name: _allocations(operation) for operation in operations}
        times = _times(operations, rounds=15 if short else 100)
        figures = []
        for operation in operations:
            own = times[operation.name]
            ratio = None
            if operation.bare:
                ratio = statistics.median(a / b for a, b in zip(own, times[operation.bare], strict=True))
            figures.append(
                Figure(
                    name=operation.name,
                    microseconds=statistics.median(own),
                    ratio=ratio,
                    allocations=allocations[operation.name],
                    instructions=instructions.get(operation.name),
                    target=_target(ratio, operation.at_most, "\N{MULTIPLICATION SIGN}"),
                    comment=operation.comment,
                )
            )
        return [*figures, memory]


def _target(measured: float | None, limit: float | None, unit: str) -> str:
    if measured is None or limit is None:
        return ""
    return f"at most {limit:g} {unit}: {'met' if measured <= limit else 'missed'}"


@contextlib.asynccontextmanager
async def _operations() -> AsyncIterator[tuple[list[Operation], Callable[[int], Figure]]]:
    """Yield the operations, which await nothing, and a function that measures the memory of distinct tokens."""
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
                run=lambda _: _finish(introspector.validate(PresentedToken.read(opaque))),
                before=token_cache.clear,
            )
        )

        def measure_memory(count: int) -> Figure:
            return _memory(count, token_cache, claims)

        try:
            yield operations, measure_memory
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
        return _finish(authenticator.authenticate(credentials[number]))

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
        _finish(authenticator.revalidate(token))

    def authenticate(number: int) -> None:
        assert authenticator.get_cached(offered[number]) is None
        _finish(authenticator.authenticate(offered[number]))

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


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the operation waited for something")


def _times(operations: Sequence[Operation], *, rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of each operation in each round."""
    times: dict[str, list[float]] = {operation.name: [] for operation in operations}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for operation in operations:
            operation.before()
            started = time.perf_counter()
            for number in range(TOKENS):
                operation.run(number)
            times[operation.name].append(1e6 * (time.perf_counter() - started) / TOKENS)
    gc.enable()
    return times


def _allocations(operation: Operation) -> float:
    for _ in range(3):  # caches and the interpreter's own counters fill
        operation.before()
        for number in range(TOKENS):
            operation.run(number)
    operation.before()
    results: list[object] = [None] * TOKENS
    before = sys.getallocatedblocks()
    for number in range(TOKENS):
        results[number] = operation.run(number)
    return (sys.getallocatedblocks() - before) / TOKENS


def _memory(count: int, token_cache: ValidatedTokenCache, claims: dict[str, Any]) -> Figure:
    """Cache distinct tokens, as a flood of valid ones would."""
    token_cache.clear()
    before, started = resident_megabytes(os.getpid()), time.perf_counter()
    for number in range(count):
        principal = Principal.from_claims({**claims, "jti": f"AT.{number}"})
        token_cache.put(f"{number}", ValidatedToken(principal, lambda: True))
    taken, more = time.perf_counter() - started, resident_megabytes(os.getpid()) - before
    assert token_cache.get(f"{count - 1}") is not None
    return Figure(
        name=f"{count:,} distinct tokens cached",
        microseconds=1e6 * taken / count,
        target=_target(more, MEMORY_AT_MOST_MB, "MB"),
        comment=f"{more:.1f} MB more memory",
    )


def _count_in_valgrind() -> dict[str, float]:
    """Return the instructions of each operation."""
    with tempfile.TemporaryDirectory() as folder:
        counted = subprocess.run(
            [*callgrind_command(Path(folder), "--instr-atstart=no"), sys.executable, __file__, _COUNT],
            env=os.environ | {"PYTHONHASHSEED": "0"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        *names, nothing = counted.stdout.splitlines()
        # The first file is what came before the first operation; every other one is what came between two operations.
        counts = {
            name: total_instructions(Path(folder, f"c.{2 * number}")) / COUNTED
            for number, name in enumerate([*names, nothing], start=1)
        }
    return {name: counts[name] - counts[nothing] for name in names}


async def _count() -> None:
    """Run the operations within valgrind, whose parent is :func:`_count_in_valgrind`."""
    async with _operations() as (measured, _):
        operations = [*measured, Operation(name="nothing", run=lambda _: None)]
        for _ in range(3):  # the interpreter specializes what runs often
            for operation in operations:
                operation.before()
                for number in range(COUNTED):
                    operation.run(number)
        gc.collect()
        gc.disable()
        _start_counting()
        for operation in operations:
            operation.before()
            os.getppid()
            for number in range(COUNTED):
                operation.run(number)
            os.getppid()
            print(operation.name)
        sys.stdout.flush()
        os._exit(0)


def _start_counting() -> None:
    command = ["vgdb", f"--pid={os.getpid()}", "instrumentation", "on"]
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sender.poll() is None:  # valgrind receives commands only while the program runs
        pass


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds")
    parser.add_argument(_COUNT, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count_instructions:
        asyncio.run(_count())
    print(f"{'':50}{'µs':>8}{'ratio':>8}{'blocks':>8}{'instructions':>14}  target")
    for figure in run(short=options.short):
        ratio, blocks, instructions = (
            "-" if value is None else f"{value:{form}}"
            for value, form in ((figure.ratio, ".2f"), (figure.allocations, ".1f"), (figure.instructions, ",.0f"))
        )
        note = "; ".join(filter(None, (figure.target, figure.comment)))
        print(f"{figure.name:50}{figure.microseconds:8.2f}{ratio:>8}{blocks:>8}{instructions:>14}  {note}")


if __name__ == "__main__":
    main()
