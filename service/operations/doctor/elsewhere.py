"""Issuers whose tokens are judged by a validator that cannot be looked into: it is asked, and its word counts."""

from __future__ import annotations

from service.caches.verdicts import Verdicts
from service.issuer_settings import TrustedIssuer
from service.operations.doctor.examination import Examination, is_judged_here
from service.operations.doctor.rules import Rule
from service.settings import Settings
from service.validators.base import Toolbox
from service.validators.registry import find_factory

__all__ = ["rules_of_other_validators"]


def rules_of_other_validators(settings: Settings) -> list[Rule]:
    """Return one rule for each issuer whose tokens are not judged by the rules that can be walked.

    Raises:
        SettingsError: There is no validator of a kind that the settings name.
    """
    return [_rule(one) for one in settings.trusted_issuers if not is_judged_here(one)]


def _rule(issuer: TrustedIssuer) -> Rule:
    async def ask(exam: Examination) -> None:
        if _is_taken(exam, issuer):
            exam.seen = "not asked, since another one knows the token"
            return
        verdicts = Verdicts(clock=exam.clock)
        toolbox = Toolbox(client=exam.client, clock=exam.clock, verdicts=verdicts)
        validator = find_factory(issuer.validation)(issuer, toolbox)
        exam.seen = "it knows the token, and its word counts"
        try:
            exam.principal = await validator.validate(exam.read)
        finally:
            await validator.close()
        if exam.principal is None:
            exam.seen = "it does not know the token, so the others are asked"

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} has nothing against it", ask)


def _is_taken(exam: Examination, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer that stands before this one in the settings knows the token by its name."""
    name = exam.read.unverified_issuer
    everybody = [one.issuer for one in exam.settings.trusted_issuers]
    before = exam.settings.trusted_issuers[: everybody.index(issuer.issuer)]
    return any(one.issuer == name and is_judged_here(one) for one in before)
