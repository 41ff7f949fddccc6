"""The cost of single steps of a request, by the size of what they work on.

Costs are CPU time of one thread, the least of several repeats, so that other work on the machine matters little.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import tornado.web
from coroutines import finish
from cryptography.hazmat.primitives.asymmetric import ec
from growth_of_processes import WebSocket
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.websocket import WebSocketHandler

import fakeissuer
from service import Settings, make_app
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches import deny_list as deny_list_module
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.settings.issuers import TrustedIssuer
from service.tokens.credentials import Credentials
from service.tokens.jwk import JWK
from service.tokens.key_set import KeySet
from service.tokens.principal import Principal
from service.validators import jwt
from service.validators.base import ValidatorContext
from service.web.handler.token_monitor import TokenMonitor
from service.web.policy.requirements import parse_requirements

ISSUER = "https://issuer.example"
REPEATS = 7
CLOCK = SystemClock()


def least_cost(call: Callable[[], object], *, calls: int = 1) -> float:
    """Return the least CPU time of a call, in microseconds."""
    gc.collect()
    gc.disable()
    best = math.inf
    for _ in range(REPEATS):
        started = time.thread_time()
        for _ in range(calls):
            call()
        best = min(best, time.thread_time() - started)
    gc.enable()
    return 1e6 * best / calls


def _named(trusted: TrustedIssuer, count: int) -> Iterator[TrustedIssuer]:
    """Yield so many issuers that are like this one but for their names."""
    for number in range(count):
        name = f"{ISSUER}/{number}"
        yield dataclasses.replace(trusted, issuer=name, profile=dataclasses.replace(trusted.profile, token_issuer=name))


async def _new_token_cost(
    issuer: fakeissuer.RunningIssuer, *, others: int = 0, claims: dict[str, object] | None = None
) -> float:
    """Return the cost of a token that the service has not seen, with so many other issuers before its own."""
    client, cache = JSONClient(), open_cache("memory://", clock=CLOCK)
    context = ValidatorContext(client=client, clock=CLOCK, token_cache=ValidatedTokenCache(clock=CLOCK), cache=cache)
    (trusted,) = Settings(issuer=issuer.issuer_url()).trusted_issuers
    validators = [jwt.build(each, context) for each in (*_named(trusted, others), trusted)]
    authenticator = Authenticator(
        validators,
        token_cache=context.token_cache,
        deny_list=DenyList(cache, clock=CLOCK),
        binding=BindingCheck(cache, clock=CLOCK),
    )
    tokens = [Credentials(scheme="Bearer", token=issuer.token(claims=claims or {})) for _ in range(50)]
    await authenticator.authenticate(tokens[0])  # fetches the keys

    def validate_all() -> None:
        context.token_cache.clear()
        for token in tokens:
            finish(authenticator.authenticate(token))

    cost = least_cost(validate_all) / len(tokens)
    await authenticator.close()
    client.close()
    return cost


def token_size_cost(kibibytes: float) -> float:
    """Return the cost of a new token that its groups make so large."""
    with fakeissuer.running() as issuer:
        missing = (1024 * kibibytes - len(issuer.token())) * 3 / 4  # base64url
        groups = [f"Group-{number:04}" for number in range(max(0, round(missing / len('"Group-0000",'))))]
        return asyncio.run(_new_token_cost(issuer, claims={"groups": groups} if groups else {}))


def issuers_cost(count: float) -> float:
    """Return the cost of a new token of the last of so many issuers."""
    with fakeissuer.running() as issuer:
        return asyncio.run(_new_token_cost(issuer, others=int(count) - 1))


def keys_cost(count: float) -> float:
    """Return the cost of finding the last of so many keys for a new token, and again for the known token."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    algorithms = frozenset({"ES256"})
    keys = KeySet(keys=tuple(JWK(kid=f"key-{number}", algorithms=algorithms, key=key) for number in range(int(count))))
    last = keys.keys[-1]
    assert last.kid is not None
    return least_cost(lambda: (keys.select(algorithm="ES256", kid=last.kid), last in keys.by_kid[last.kid]), calls=2000)


def routes_cost(count: float) -> float:
    """Return the cost of finding the handler of the last of so many routes."""
    routes = [(rf"/things/{number}/([^/]+)", WebSocket) for number in range(int(count))]
    app = make_app(Settings(issuer=ISSUER, audience=("api://default",), docs=False), routes=routes)
    return _find_handler_cost(app, int(count))


def bare_routes_cost(count: float) -> float:
    """Return the same cost in an application of Tornado alone."""
    routes = [(rf"/things/{number}/([^/]+)", WebSocketHandler) for number in range(int(count))]
    return _find_handler_cost(tornado.web.Application(routes), int(count))


def _find_handler_cost(app: tornado.web.Application, count: int) -> float:
    class Connection(HTTPConnection):
        remote_ip, protocol = "127.0.0.1", "http"
        context: Any = None

    start_line = RequestStartLine("GET", f"/things/{count - 1}/1", "HTTP/1.1")
    headers = HTTPHeaders({"Host": "api.example"})
    request = HTTPServerRequest(start_line=start_line, headers=headers, connection=Connection())
    return least_cost(lambda: app.find_handler(request), calls=200)


def cached_tokens_cost(count: float) -> float:
    """Return the cost of finding a token among so many."""
    cache = ValidatedTokenCache(clock=CLOCK, capacity=int(count))
    principal = Principal.from_claims({"iss": ISSUER, "sub": "alice", "exp": CLOCK.now() + 3600})
    token = "x" * 900  # as long as a usual token
    for number in range(int(count)):
        cache.put(f"{token}{number}", ValidatedToken(principal, lambda: True))
    some = [f"{token}{number}" for number in range(0, int(count), max(1, int(count) // 500))]
    return least_cost(lambda: [cache.get(each) for each in some]) / len(some)


def requirements_cost(count: float) -> float:
    """Return the cost of checking so many scopes and as many claims."""
    names = [f"name-{number}" for number in range(int(count))]
    requirements = parse_requirements(
        public=False, optional=False, scopes=names, groups=(), roles=(), claims=dict.fromkeys(names, "yes"),
        allowed_clients=(), acr_values=(), max_age=None, validation="", dpop=None, dpop_nonce=None,
    )  # fmt: skip
    claims = {"iss": ISSUER, "sub": "alice", "exp": CLOCK.now() + 3600, "scope": " ".join(names)}
    principal = Principal.from_claims(claims | dict.fromkeys(names, "yes"))
    return least_cost(lambda: requirements.check(principal, now=0.0), calls=500)


async def _deny_list(count: int) -> DenyList:
    deny_list_module.CAPACITY = max(count + 10, 10_000)  # the default is lower
    deny_list = DenyList(open_cache("memory://", clock=CLOCK), clock=CLOCK)
    for number in range(count):
        await deny_list.add(_entry(f"denied-{number}"))
    return deny_list


def _entry(subject: str) -> DenyEntry:
    return DenyEntry(kind="sub", value=subject, issuer=ISSUER, expires_at=CLOCK.now() + 3600)


def deny_check_cost(count: float) -> float:
    """Return the cost of checking a principal against so many entries."""
    deny_list = asyncio.run(_deny_list(int(count)))
    principal = Principal.from_claims({"iss": ISSUER, "sub": "alice", "jti": "1", "exp": CLOCK.now() + 3600})
    return least_cost(lambda: deny_list.check(principal), calls=2000)


def deny_add_cost(count: float) -> float:
    """Return the cost of adding one more entry."""

    async def measure() -> float:
        deny_list = await _deny_list(int(count))
        best = math.inf
        for number in range(20):
            entry = _entry(f"other-{number % 5}")
            started = time.thread_time()
            await deny_list.add(entry)
            best = min(best, time.thread_time() - started)
        return 1e6 * best

    return asyncio.run(measure())


def monitor_cost(count: float) -> float:
    """Return the cost of the check of so many tokens, which runs each second."""

    async def measure() -> float:
        deny_list = await _deny_list(10)
        monitor = TokenMonitor(clock=CLOCK, is_denied=lambda principal: deny_list.denied_by(principal) is not None)
        cache = ValidatedTokenCache(clock=CLOCK)
        held = []
        for number in range(int(count)):
            principal = Principal.from_claims({"iss": ISSUER, "sub": f"user-{number}", "exp": CLOCK.now() + 3600})
            token = f"{'x' * 900}{number}"
            cache.put(token, ValidatedToken(principal, lambda: True))
            held.append(monitor.watch(principal, revalidate=partial(_revalidate, cache, token)))
        best = math.inf
        for _ in range(REPEATS):
            started = time.thread_time()
            await monitor.check_all()
            best = min(best, time.thread_time() - started)
        assert not any(token.ended.is_set() for token in held)
        await monitor.close()
        return 1e6 * best

    return asyncio.run(measure())


def _revalidate(cache: ValidatedTokenCache, token: str) -> None:
    assert cache.get(token) is not None
