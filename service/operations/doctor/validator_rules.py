"""Where a validator is asked that cannot be looked into, or the issuer itself: its word counts."""

from __future__ import annotations

from collections.abc import Iterator

from service.operations.doctor.context import Examination, is_judged_here
from service.operations.doctor.rules import Rule
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.validators import auto, hybrid, introspection
from service.validators.base import Factory
from service.validators.registry import find_factory

__all__ = ["rules_after_all_others", "rules_of_other_validators"]

_INACTIVE = "it has expired, was revoked, or is of another issuer: ask for a new one"


def rules_of_other_validators(settings: Settings) -> Iterator[Rule]:
    """Yield one rule for each issuer that has tokens which are not judged by the rules that can be walked.

    Raises:
        SettingsError: There is no validator of a kind that the settings name.
    """
    for one in settings.trusted_issuers:
        factory = find_factory(one.validation)
        if not is_judged_here(one):
            yield _rule(one, factory)
        elif factory is auto.build and one.client is not None:
            yield _opaque_rule(one)


def rules_after_all_others(settings: Settings) -> Iterator[Rule]:
    """Yield the rule that asks the issuer, where a signature alone is not believed."""
    if any(find_factory(one.validation) is hybrid.build for one in settings.trusted_issuers):
        yield Rule("its issuer, asked about it, calls it active", _ask_issuer)


def _rule(issuer: TrustedIssuer, factory: Factory) -> Rule:
    async def ask(exam: Examination) -> None:
        if _is_taken(exam, issuer):
            exam.seen = "not asked, since another one knows the token"
        else:
            await _ask_validator(exam, issuer, factory)

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} has nothing against it", ask)


def _opaque_rule(issuer: TrustedIssuer) -> Rule:
    async def ask(exam: Examination) -> None:
        signed = exam.read.jws
        if signed is not None and not signed.header.is_of_okta_org_token:
            exam.seen = "not asked, since the token is a JWT and can be judged here"
        else:
            await _ask_validator(exam, issuer, introspection.build)

    return Rule(f"if it is opaque, {issuer.issuer} calls it active", ask)


async def _ask_validator(exam: Examination, issuer: TrustedIssuer, factory: Factory) -> None:
    validator = factory(issuer, exam.toolbox)
    exam.advice = _INACTIVE
    try:
        exam.principal = await validator.validate(exam.read)
    finally:
        await validator.close()
    known = "it knows the token, and its word counts"
    exam.seen = known if exam.principal is not None else "it does not know the token, so the others are asked"


async def _ask_issuer(exam: Examination) -> None:
    if find_factory(exam.trusted.validation) is not hybrid.build:
        exam.seen = "not asked, since its signature is enough here"
        return
    validator = introspection.build(exam.trusted, exam.toolbox)
    exam.seen, exam.expected, exam.advice = "", "active: true", _INACTIVE
    try:
        await validator.judge(exam.read)  # its own issuer's, as the rules before this one have found
    finally:
        await validator.close()
    exam.seen = "active"


def _is_taken(exam: Examination, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer that stands before this one in the settings knows the token by its name."""
    name = exam.read.unverified_issuer
    everybody = [one.issuer for one in exam.settings.trusted_issuers]
    before = exam.settings.trusted_issuers[: everybody.index(issuer.issuer)]
    return any(one.issuer == name and is_judged_here(one) for one in before)
