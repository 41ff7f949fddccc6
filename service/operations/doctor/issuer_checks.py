"""Sends one issuer the requests that the service will send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse
from service.issuers.failures import NoDocument, UnexpectedStatus
from service.issuers.key_file import read_key_file
from service.issuers.metadata import check_issuer, fetch_discovery_document, read_jwks_uri
from service.issuers.refreshing import RefreshPolicy
from service.operations.doctor.advice.confusions import advise_on_document_issuer, explain_absent_document
from service.operations.doctor.formatting import format_duration, to_json
from service.operations.doctor.report import Finding, fail, ok, skipped, warn
from service.settings.issuers import TrustedIssuer
from service.tokens.key_set import KeySet

_NOTICEABLE_OFFSET = 5.0
"""Seconds; a Date header has whole seconds, and a response takes time."""

_CONNECTION = "is the URL right, and reachable from here? Behind a proxy set http_proxy; for a private CA set ca_file"

_SERVER_ERROR = "the issuer has an error: see its status page, and try again"


@dataclass(frozen=True, kw_only=True)
class _TimedResponse:
    """A response, and the time of its arrival in seconds since the epoch."""

    response: JSONResponse
    at: float


async def check_remote_issuer(issuer: TrustedIssuer, *, client: JSONClient, clock: Clock) -> AsyncIterator[Finding]:
    """Yield one finding for each requirement on an issuer whose tokens are validated locally."""
    discovered, jwks_uri, keys_file = None, issuer.locations.jwks_uri, issuer.locations.keys_file
    if keys_file is not None:
        yield await _check_key_file(keys_file, issuer)
        return
    if jwks_uri is not None:
        yield ok("jwks_uri", f"{jwks_uri}, from the settings, so the keys need no discovery")
    else:
        discovered, finding = await _discover(issuer, client, clock)
        yield finding
        if discovered is None:
            for about in ("issuer in the document", "jwks_uri"):
                yield skipped(about, "there is no discovery document")
        else:
            yield _check_document_issuer(discovered.response.document, issuer)
            jwks_uri, finding = _check_jwks_uri(discovered.response.document, issuer)
            yield finding
    published = None
    if jwks_uri is None:
        yield skipped("key set", "there is no URL to fetch it from")
    else:
        published, finding = await _request("key set", partial(client.get, jwks_uri), clock, issuer)
        yield finding
    for finding in _check_keys(published, issuer):
        yield finding
    yield _clock_offset(published or discovered, issuer.leeway)


async def check_clock(issuer: TrustedIssuer, *, client: JSONClient, clock: Clock) -> Finding:
    """Return whether our clock agrees with that of an issuer whose tokens are introspected."""
    if not issuer.is_discovered and issuer.locations.metadata_url is None:
        return skipped("clock", "no document is fetched from the issuer whose Date header could be compared")
    discovered, _ = await _discover(issuer, client, clock)
    return _clock_offset(discovered, issuer.leeway)


async def _check_key_file(path: str, issuer: TrustedIssuer) -> Finding:
    """Return whether a file has usable keys; nothing is fetched then."""
    try:
        _, finding = _usable_keys(await read_key_file(path), issuer.issuer)
    except IssuerUnavailable as exc:
        return fail("keys", exc.detail, "keys_file must be a JWK Set that this user can read")
    return replace(finding, found=f"{path}: {finding.found}")


async def _discover(issuer: TrustedIssuer, client: JSONClient, clock: Clock) -> tuple[_TimedResponse | None, Finding]:
    fetch = partial(fetch_discovery_document, issuer.issuer, client, locations=issuer.locations)
    return await _request("discovery", fetch, clock, issuer)


async def _request(
    about: str, send: Callable[[], Any], clock: Clock, issuer: TrustedIssuer
) -> tuple[_TimedResponse | None, Finding]:
    try:
        timed = _TimedResponse(response=await send(), at=clock.now())
    except UnexpectedStatus as exc:
        return None, fail(about, exc.detail, _not_found(issuer) if exc.is_absence else _SERVER_ERROR)
    except NoDocument as exc:
        return None, fail(about, exc.detail, _not_found(issuer))
    except IssuerUnavailable as exc:
        return None, fail(about, exc.detail, _CONNECTION)
    return timed, ok(about, f"GET {timed.response.url}")


def _not_found(issuer: TrustedIssuer) -> str:
    return explain_absent_document(issuer.issuer, profile=issuer.profile.server.name)


def _check_document_issuer(document: dict[str, Any], issuer: TrustedIssuer) -> Finding:
    about, expected = "issuer in the document", issuer.issuer
    try:
        check_issuer(document, expected, metadata_url=issuer.locations.metadata_url)
    except ValueError:
        named = document.get("issuer")
        profile = issuer.profile.server.name
        advice = (
            advise_on_document_issuer(named, expected, profile=profile)
            if isinstance(named, str)
            else "the document has no issuer: is metadata_url, or the issuer, the URL of another kind of server?"
        )
        return fail(about, to_json(named), advice, expected=to_json(expected))
    found = to_json(document["issuer"])
    if document["issuer"] == expected:
        return ok(about, found)
    return ok(about, f"{found}, as at metadata_url; tokens must have the issuer {to_json(expected)}")


def _check_jwks_uri(document: dict[str, Any], issuer: TrustedIssuer) -> tuple[str | None, Finding]:
    try:
        uri = read_jwks_uri(document, issuer=issuer.issuer, metadata_url=issuer.locations.metadata_url)
    except ValueError as exc:
        advice = "the issuer must publish its keys at an https URL; or set jwks_uri"
        return None, fail("jwks_uri", str(exc), advice)
    return uri, ok("jwks_uri", uri)


def _check_keys(published: _TimedResponse | None, issuer: TrustedIssuer) -> Iterator[Finding]:
    key_set = None
    if published is None:
        yield skipped("keys", "there is no key set")
    else:
        key_set, finding = _usable_keys(published.response.document, issuer.issuer)
        yield finding
    yield _algorithms(key_set, issuer) if key_set else skipped("algorithms", "there are no usable keys")
    if published is None:
        yield skipped("Cache-Control", "there is no key set")
    else:
        yield _max_age(published.response.max_age)


def _usable_keys(document: dict[str, Any], issuer: str) -> tuple[KeySet | None, Finding]:
    about = "keys"
    try:
        key_set = KeySet.read(document, issuer=issuer)
    except ValueError as exc:
        return None, fail(
            about,
            str(exc),
            "no token can be validated until there is one: correct the keys at the issuer, or write its key set into a "
            "file, and set keys_file to it",
        )
    usable = f"{len(key_set.keys)} usable ({', '.join(to_json(key.kid) for key in key_set.keys)})"
    if not key_set.skipped:
        return key_set, ok(about, usable)
    reasons = "; ".join(map(str, key_set.skipped))
    advice = "skipped keys are not used; that is right unless the issuer signs access tokens with them"
    return key_set, warn(about, f"{usable}; {len(key_set.skipped)} skipped ({reasons})", advice)


def _algorithms(key_set: KeySet, issuer: TrustedIssuer) -> Finding:
    key_counts = {name: sum(name in key.algorithms for key in key_set.keys) for name in sorted(issuer.algorithms)}
    seen = ", ".join(
        f"{name} has {count} keys" if count != 1 else f"{name} has 1 key" for name, count in key_counts.items()
    )
    if not any(key_counts.values()):
        available = " or ".join(sorted({name for key in key_set.keys for name in key.algorithms}))
        advice = f"every token would be rejected; set algorithms to those of the issuer, {available}"
        return fail("algorithms", seen, advice)
    if not all(key_counts.values()):
        advice = "remove the algorithms that the issuer does not use"
        return warn("algorithms", seen, advice)
    return ok("algorithms", seen)


def _max_age(max_age: float | None) -> Finding:
    kept = f"the key set is cached for {format_duration(RefreshPolicy().age(max_age))}"
    seen = "no max-age" if max_age is None else f"max-age {max_age:.0f} s"
    return ok("Cache-Control", f"{seen}, so {kept}")


def _clock_offset(timed: _TimedResponse | None, leeway: float) -> Finding:
    about = "clock"
    if timed is None:
        return skipped(about, "the issuer did not respond")
    if timed.response.date is None:
        advice = "compare the clocks yourself if tokens are rejected for their dates"
        return warn(about, "the response has no Date header", advice)
    offset = timed.at - timed.response.date
    seen = f"this machine is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} the issuer"
    if abs(offset) <= _NOTICEABLE_OFFSET:
        return ok(about, f"{seen}, within the duration of a response")
    if abs(offset) <= leeway:
        advice = f"the leeway of {leeway:.0f} s covers it so far; synchronize both clocks with NTP"
        return warn(about, seen, advice)
    advice = f"the leeway of {leeway:.0f} s does not cover it: valid tokens are rejected, or expired ones accepted; "
    advice += "synchronize this machine's clock with NTP"
    return fail(about, seen, advice)
