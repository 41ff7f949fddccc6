"""The rules that delegate to a validator or to the issuer."""

from __future__ import annotations

from collections.abc import Iterator

from service.errors import TokenError
from service.operations.doctor.claim_rules import advice_on
from service.operations.doctor.context import ExplainContext, is_validated_locally
from service.operations.doctor.rules import Rule
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.validators import auto, hybrid, introspection
from service.validators.base import Factory
from service.validators.registry import find_factory


def delegated_rules(settings: Settings) -> Iterator[Rule]:
    """Yield one rule for each issuer whose tokens another validator may validate.

    Raises:
        SettingsError: The settings name an unknown kind of validation.
    """
    for issuer in settings.trusted_issuers:
        factory = find_factory(issuer.validation)
        if not is_validated_locally(issuer):
            yield _rule(issuer, factory)
        elif factory is auto.build and issuer.client is not None:
            yield _opaque_rule(issuer)


def final_rules(settings: Settings) -> Iterator[Rule]:
    """Yield the introspection rule if an issuer is validated in hybrid mode."""
    if any(find_factory(issuer.validation) is hybrid.build for issuer in settings.trusted_issuers):
        yield Rule("introspection reports it as active", _introspect)


def _rule(issuer: TrustedIssuer, factory: Factory) -> Rule:
    async def run(context: ExplainContext) -> None:
        if _is_handled_by(context, issuer):
            context.found = "skipped, since another validator handles the token"
        else:
            await _run_validator(context, issuer, factory)

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} accepts it", run)


def _opaque_rule(issuer: TrustedIssuer) -> Rule:
    async def run(context: ExplainContext) -> None:
        signed = context.token.jws
        if signed is not None and not signed.header.is_of_okta_org_token:
            context.found = "skipped, since the token is a JWT and is validated locally"
        else:
            await _run_validator(context, issuer, introspection.build)

    return Rule(f"if it is opaque, {issuer.issuer} reports it as active", run)


async def _run_validator(context: ExplainContext, issuer: TrustedIssuer, factory: Factory) -> None:
    validator = factory(issuer, context.validator_context)
    if context.token.jws is not None:
        context.header, context.claims = context.token.jws.header.parameters, context.token.unverified_claims
    try:
        context.principal = await validator.validate(context.token)
    except TokenError as exc:
        context.advice = advice_on(exc)
        raise
    finally:
        await validator.close()
    known = "it accepts the token"
    context.found = known if context.principal is not None else "the token is malformed, or of another issuer"


async def _introspect(context: ExplainContext) -> None:
    if find_factory(context.trusted.validation) is not hybrid.build:
        context.found = "skipped, since the issuer is not validated in hybrid mode"
        return
    validator = introspection.build(context.trusted, context.validator_context)
    context.found, context.expected = "", "active: true"
    try:
        await validator.validate_uncached(context.token)  # the earlier rules have found its issuer
    except TokenError as exc:
        context.advice = advice_on(exc)
        raise
    finally:
        await validator.close()
    context.found = "active"


def _is_handled_by(context: ExplainContext, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer earlier in the settings is the issuer of the token."""
    name = context.token.unverified_issuer
    names = [trusted.issuer for trusted in context.settings.trusted_issuers]
    earlier = context.settings.trusted_issuers[: names.index(issuer.issuer)]
    return any(trusted.profile.token_issuer == name and is_validated_locally(trusted) for trusted in earlier)
