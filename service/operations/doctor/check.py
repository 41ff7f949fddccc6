"""``check``: asks every configured issuer what the service will need, and looks at the settings themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock
from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import JSONClient
from service.operations.doctor.context import is_validated_locally
from service.operations.doctor.formatting import escape_for_terminal, redact, to_json
from service.operations.doctor.introspection_check import check_introspection
from service.operations.doctor.issuer_checks import check_remote_issuer
from service.operations.doctor.report import Finding, Outcome, fail, ok, warn
from service.operations.server import tls_context
from service.settings.issuers import OKTA_AUDIENCE, TrustedIssuer
from service.settings.program import Settings
from service.tokens.issuer_identifier import is_okta_custom_server
from service.urls import is_secure
from service.validators import jwt
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory
from service.web.application.route_table import Row, list_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What all checks found, and what is mounted."""

    findings: tuple[Finding, ...]
    rows: tuple[Row, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the service could do its work."""
        return not any(finding.outcome is Outcome.FAIL for finding in self.findings)

    def lines(self) -> list[str]:
        """Return one line a check."""
        return [escape_for_terminal(redact(finding.line(), ())) for finding in self.findings]


async def check(
    settings: Settings, *, client: JSONClient, clock: Clock, routes: Sequence[Any] | None = None
) -> CheckReport:
    """Ask each issuer, and look at the settings and at what would be mounted.

    Raises:
        SettingsError: A kind of validation does not exist.
    """
    findings = []
    several = len(settings.trusted_issuers) > 1
    for issuer in settings.trusted_issuers:
        async for finding in _check_issuer(issuer, client=client, clock=clock):
            named = replace(finding, about=f"{issuer.issuer} {finding.about}") if several else finding
            findings.append(named)
    rows, audited = _check_route_table(routes)
    rest = (*audited, await _check_cache(settings, clock), _check_cors(settings), _check_own_tls(settings))
    return CheckReport(findings=(*findings, *rest), rows=rows)


async def _check_issuer(issuer: TrustedIssuer, *, client: JSONClient, clock: Clock) -> AsyncIterator[Finding]:
    for finding in (_check_issuer_name(issuer.issuer), _check_audience(issuer)):
        yield finding
    context = ValidatorContext(
        client=client,
        clock=clock,
        token_cache=ValidatedTokenCache(clock=clock),
        cache=open_cache("memory://", clock=clock),
    )
    if is_validated_locally(issuer):
        async for finding in check_remote_issuer(issuer, client=client, clock=clock):
            yield finding
    else:
        yield await _build_validator(issuer, context)
    if issuer.client is not None and find_factory(issuer.validation) is not jwt.build:
        yield await check_introspection(context.issuer(issuer), issuer.client)


def _check_route_table(routes: Sequence[Any] | None) -> tuple[tuple[Row, ...], list[Finding]]:
    """Return the table of routes, and what the audit at start would say of them; nothing where none are named."""
    if routes is None:
        return (), []
    try:
        rows = tuple(list_rows(routes))
    except SettingsError as exc:
        advice = "as long as it is so, the service does not start"
        return (), [fail("routes", problem.removeprefix("routes: "), advice) for problem in exc.problems]
    public = sum(row.is_public for row in rows)
    found = f"{len(rows)} methods on {len({row.pattern for row in rows})} routes, {public} of them for anybody"
    return rows, [ok("routes", found)]


async def _build_validator(issuer: TrustedIssuer, context: ValidatorContext) -> Finding:
    """Return what a validator says that cannot be looked into; what it needs of its issuer is its own affair."""
    about = f"validator {issuer.validation}"
    validator = find_factory(issuer.validation)(issuer, context)
    try:
        await validator.check_ready()
    except IssuerUnavailable as exc:
        advice = "nobody can judge this issuer's tokens until it is ready"
        return fail(about, exc.detail, advice)
    finally:
        await validator.close()
    return ok(about, "it says that it is ready; discovery and keys are its affair")


def _check_issuer_name(issuer: str) -> Finding:
    """Return what kind of issuer it is; misspelt ones do not get past the settings."""
    kind = ", an Okta custom authorization server" if is_okta_custom_server(issuer) else ""
    slash = "; the slash at its end belongs to the name" if issuer.endswith("/") else ""
    return ok("issuer", f"{issuer}{kind}{slash}")


def _check_audience(issuer: TrustedIssuer) -> Finding:
    found = " or ".join(map(to_json, sorted(issuer.audiences)))
    if OKTA_AUDIENCE not in issuer.audiences:
        return ok("audience", found)
    remark = "Okta's default, which every API has that uses that server; each of them gets tokens that are good here"
    return ok("audience", f"{found}, {remark}")


async def _check_cache(settings: Settings, clock: Clock) -> Finding:
    """Return whether the memory that all processes share can be reached; its address may hold a password."""
    about = "shared cache"
    url = settings.cache_url.get_secret_value()
    cache = open_cache(url, clock=clock, ca_file=settings.ca_file)
    try:
        if cache.is_local:
            return ok(about, "memory://, so that each process remembers for itself")
        is_available = await cache.ping()
    finally:
        await cache.close()
    if is_available:
        return ok(about, f"{url.partition('://')[0]}, it keeps what it is given")
    advice = "the service goes on without it, and asks the issuer more often; is cache_url right, and the server up?"
    return warn(about, f"{url.partition('://')[0]}, it does not answer in time", advice)


def _check_cors(settings: Settings) -> Finding:
    origins = settings.cors_origins
    found = ", ".join(origins) or "none, so that pages of other origins cannot call"
    if "*" in origins:
        advice = "the pages of every site may call; name the origins of your own in SERVICE_CORS_ORIGINS"
        return warn("CORS origins", found, advice)
    if insecure := [origin for origin in origins if not is_secure(origin)]:
        advice = f"whoever is on the way can write pages of {', '.join(insecure)}; use https there"
        return warn("CORS origins", found, advice)
    return ok("CORS origins", found)


def _check_own_tls(settings: Settings) -> Finding:
    about = "TLS of the service"
    if settings.certfile is not None:
        try:
            tls_context(settings.certfile, settings.keyfile)
        except OSError as exc:
            found = f"{settings.certfile}: {exc.strerror or exc}"
            return fail(about, found, "name a certificate and its key in PEM, which this user may read")
        return ok(about, settings.certfile)
    if is_secure(f"http://{settings.address}"):
        return ok(about, "none, since it is served to this machine alone")
    advice = "tokens travel in clear unless a proxy in front speaks TLS; set certfile and keyfile where there is none"
    return warn(about, f"none at {settings.address}", advice)
