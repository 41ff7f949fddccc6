"""``check``: tests the settings, and every request that the service will send to its issuers."""

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
from service.operations.doctor.host.advisories import check_advisories
from service.operations.doctor.host.local import check_locally
from service.operations.doctor.introspection.endpoint_check import check_introspection
from service.operations.doctor.issuer_checks import check_clock, check_remote_issuer
from service.operations.doctor.network.cache import check_cache
from service.operations.doctor.network.port import check_port
from service.operations.doctor.network.way import check_way
from service.operations.doctor.report import Finding, Outcome, fail, ok
from service.settings.issuers import TrustedIssuer
from service.settings.profiles.effective import OKTA_AUDIENCE
from service.settings.program import Settings
from service.validators import jwt
from service.validators.base import ValidatorContext
from service.validators.registry import BUILT_IN, find_factory
from service.web.application.route_table import Row, list_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """The findings of all checks, and the mounted routes."""

    findings: tuple[Finding, ...]
    rows: tuple[Row, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not any(finding.outcome is Outcome.FAIL for finding in self.findings)

    def lines(self) -> list[str]:
        """Return one line a check."""
        return [escape_for_terminal(redact(finding.line(), ())) for finding in self.findings]

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; it says the same as :meth:`lines`."""
        checks = [
            {name: escape_for_terminal(redact(text, ())) for name, text in finding.to_json().items()}
            for finding in self.findings
        ]
        return {"passed": self.passed, "checks": checks}


async def check(
    settings: Settings,
    *,
    client: JSONClient,
    clock: Clock,
    routes: Sequence[Any] | None = None,
    advisories: Any = None,
) -> CheckReport:
    """Check each issuer, the settings, this machine and the routes.

    Args:
        advisories: What :func:`~service.operations.doctor.host.advisories.read_advisories` returns.

    Raises:
        SettingsError: A kind of validation does not exist.
    """
    findings = []
    several = len(settings.trusted_issuers) > 1
    for issuer in settings.trusted_issuers:
        async for finding in _check_issuer(issuer, settings, client=client, clock=clock):
            findings += [replace(finding, subject=issuer.issuer) if several else finding]
    rows, audited = _check_route_table(routes)
    rest = (*audited, await check_cache(settings, clock=clock), await check_port(settings))
    known = () if advisories is None else check_advisories(advisories)
    return CheckReport(findings=(*findings, *rest, *check_locally(settings, clock=clock), *known), rows=rows)


async def _check_issuer(
    issuer: TrustedIssuer, settings: Settings, *, client: JSONClient, clock: Clock
) -> AsyncIterator[Finding]:
    for finding in (_check_issuer_name(issuer), ok("profile", str(issuer.profile)), _check_audience(issuer)):
        yield finding
    context = ValidatorContext(
        client=client,
        clock=clock,
        token_cache=ValidatedTokenCache(clock=clock),
        cache=open_cache("memory://", clock=clock),
    )
    if (url := _find_url(issuer)) is not None:
        async for finding in check_way(issuer, url, settings, clock=clock):
            yield finding
    if is_validated_locally(issuer):
        async for finding in check_remote_issuer(issuer, client=client, clock=clock):
            yield finding
    else:
        yield await _build_validator(issuer, context)
        if issuer.validation in BUILT_IN:
            yield await check_clock(issuer, client=client, clock=clock)
    if issuer.client is not None and find_factory(issuer.validation) is not jwt.build:
        yield await check_introspection(context.issuer(issuer), issuer.client, client=client, clock=clock)


def _find_url(issuer: TrustedIssuer) -> str | None:
    """Return a URL that the service requests from an issuer, or None if a custom validator or a file needs none."""
    locations = issuer.locations
    if issuer.validation not in BUILT_IN:
        return None
    discovered = locations.metadata_url or (issuer.issuer if issuer.is_discovered else None)
    return discovered or locations.jwks_uri or locations.introspection_endpoint


def _check_route_table(routes: Sequence[Any] | None) -> tuple[tuple[Row, ...], list[Finding]]:
    """Return the table of routes with the findings of the audit at start; both are empty without routes."""
    if routes is None:
        return (), []
    try:
        rows = tuple(list_rows(routes))
    except SettingsError as exc:
        advice = "the service does not start until this is fixed"
        return (), [fail("routes", problem.removeprefix("routes: "), advice) for problem in exc.problems]
    public = sum(row.is_public for row in rows)
    found = f"{len(rows)} methods on {len({row.pattern for row in rows})} routes, {public} of them public"
    return rows, [ok("routes", found)]


async def _build_validator(issuer: TrustedIssuer, context: ValidatorContext) -> Finding:
    """Check a validator whose requests to the issuer are unknown, by ``check_ready``."""
    about = f"validator {issuer.validation}"
    validator = find_factory(issuer.validation)(issuer, context)
    try:
        await validator.check_ready()
    except IssuerUnavailable as exc:
        advice = "this issuer's tokens get 503 until it is ready"
        return fail(about, exc.detail, advice)
    finally:
        await validator.close()
    return ok(about, "it is ready; it handles discovery and keys itself")


def _check_issuer_name(issuer: TrustedIssuer) -> Finding:
    """Return the issuer; the settings have rejected malformed ones."""
    slash = "; the trailing slash is part of the name" if issuer.issuer.endswith("/") else ""
    return ok("issuer", f"{issuer.issuer}{slash}")


def _check_audience(issuer: TrustedIssuer) -> Finding:
    found = " or ".join(map(to_json, sorted(issuer.audiences)))
    if issuer.profile.accepts_without_audience:
        clients = " and ".join(map(to_json, sorted(issuer.allowed_client_ids or ())))
        remark = f"{found or 'none'}; tokens without aud are accepted from {clients}, also those for another API"
        return ok("audience", remark)
    if OKTA_AUDIENCE not in issuer.audiences:
        return ok("audience", found)
    remark = "Okta's default, which all APIs of that server share; the tokens of each are accepted here"
    return ok("audience", f"{found}, {remark}")
