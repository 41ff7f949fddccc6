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


def rules_of_other_validators(settings: Settings) -> Iterator[Rule]:
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


def rules_after_all_others(settings: Settings) -> Iterator[Rule]:
    """Yield the rule that asks the issuer, where a signature alone is not believed."""
    if any(find_factory(one.validation) is hybrid.build for one in settings.trusted_issuers):
        yield Rule("its issuer, asked about it, calls it active", _ask_issuer)


def _rule(issuer: TrustedIssuer, factory: Factory) -> Rule:
    async def ask(context: ExplainContext) -> None:
        if _is_handled_by(context, issuer):
            context.seen = "not asked, since another one knows the token"
        else:
            await _ask_validator(context, issuer, factory)

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} has nothing against it", ask)


def _opaque_rule(issuer: TrustedIssuer) -> Rule:
    async def ask(context: ExplainContext) -> None:
        signed = context.read.jws
        if signed is not None and not signed.header.is_of_okta_org_token:
            context.seen = "not asked, since the token is a JWT and can be judged here"
        else:
            await _ask_validator(context, issuer, introspection.build)

    return Rule(f"if it is opaque, {issuer.issuer} calls it active", ask)


async def _ask_validator(context: ExplainContext, issuer: TrustedIssuer, factory: Factory) -> None:
    validator = factory(issuer, context.context)
    context.advice = _INACTIVE
    try:
        context.principal = await validator.validate(context.read)
    finally:
        await validator.close()
    known = "it knows the token, and its word counts"
    context.seen = known if context.principal is not None else "it does not know the token, so the others are asked"


async def _ask_issuer(context: ExplainContext) -> None:
    if find_factory(context.trusted.validation) is not hybrid.build:
        context.seen = "not asked, since its signature is enough here"
        return
    validator = introspection.build(context.trusted, context.context)
    context.seen, context.expected, context.advice = "", "active: true", _INACTIVE
    try:
        await validator.validate_uncached(context.read)  # its own issuer's, as the rules before this one have found
    finally:
        await validator.close()
    context.seen = "active"


def _is_handled_by(context: ExplainContext, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer that stands before this one in the settings knows the token by its name."""
    name = context.read.unverified_issuer
    everybody = [one.issuer for one in context.settings.trusted_issuers]
    before = context.settings.trusted_issuers[: everybody.index(issuer.issuer)]
    return any(one.issuer == name and is_validated_locally(one) for one in before)
