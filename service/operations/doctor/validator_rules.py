"""Where a validator is asked that cannot be looked into, or the issuer itself: its word counts."""

from __future__ import annotations

from collections.abc import Iterator

from service.operations.doctor.context import ExplainContext, is_validated_locally
from service.operations.doctor.rules import Rule
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.validators import auto, hybrid, introspection
from service.validators.base import Factory
from service.validators.registry import find_factory

_INACTIVE = "it has expired, was revoked, or is of another issuer: ask for a new one"


def delegated_rules(settings: Settings) -> Iterator[Rule]:
    """Yield one rule for each issuer that has tokens which are not judged by the rules that can be walked.

    Raises:
        SettingsError: There is no validator of a kind that the settings name.
    """
    for one in settings.trusted_issuers:
        factory = find_factory(one.validation)
        if not is_validated_locally(one):
            yield _rule(one, factory)
        elif factory is auto.build and one.client is not None:
            yield _opaque_rule(one)


def final_rules(settings: Settings) -> Iterator[Rule]:
    """Yield the rule that asks the issuer, where a signature alone is not believed."""
    if any(find_factory(one.validation) is hybrid.build for one in settings.trusted_issuers):
        yield Rule("its issuer, asked about it, calls it active", _introspect)


def _rule(issuer: TrustedIssuer, factory: Factory) -> Rule:
    async def run(context: ExplainContext) -> None:
        if _is_handled_by(context, issuer):
            context.found = "not asked, since another one knows the token"
        else:
            await _run_validator(context, issuer, factory)

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} has nothing against it", run)


def _opaque_rule(issuer: TrustedIssuer) -> Rule:
    async def run(context: ExplainContext) -> None:
        signed = context.token.jws
        if signed is not None and not signed.header.is_of_okta_org_token:
            context.found = "not asked, since the token is a JWT and can be judged here"
        else:
            await _run_validator(context, issuer, introspection.build)

    return Rule(f"if it is opaque, {issuer.issuer} calls it active", run)


async def _run_validator(context: ExplainContext, issuer: TrustedIssuer, factory: Factory) -> None:
    validator = factory(issuer, context.validator_context)
    context.advice = _INACTIVE
    try:
        context.principal = await validator.validate(context.token)
    finally:
        await validator.close()
    known = "it knows the token, and its word counts"
    context.found = known if context.principal is not None else "it does not know the token, so the others are asked"


async def _introspect(context: ExplainContext) -> None:
    if find_factory(context.trusted.validation) is not hybrid.build:
        context.found = "not asked, since its signature is enough here"
        return
    validator = introspection.build(context.trusted, context.validator_context)
    context.found, context.expected, context.advice = "", "active: true", _INACTIVE
    try:
        await validator.validate_uncached(context.token)  # its own issuer's, as the rules before this one have found
    finally:
        await validator.close()
    context.found = "active"


def _is_handled_by(context: ExplainContext, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer that stands before this one in the settings knows the token by its name."""
    name = context.token.unverified_issuer
    names = [one.issuer for one in context.settings.trusted_issuers]
    earlier = context.settings.trusted_issuers[: names.index(issuer.issuer)]
    return any(one.issuer == name and is_validated_locally(one) for one in earlier)
