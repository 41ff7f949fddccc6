"""``explain``: applies each rule to one token and reports the findings and the conclusion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from service.clock import Clock
from service.errors import IssuerUnavailable, TokenError
from service.issuers.client import JSONClient
from service.operations.doctor.context import ExplainContext
from service.operations.doctor.formatting import escape_for_terminal, format_date, indent_json, redact, to_json
from service.operations.doctor.input import strip_pasted_text
from service.operations.doctor.proof_rules import ProofRequest, explain_proof
from service.operations.doctor.report import Finding, Outcome, fail, ok, skipped
from service.operations.doctor.rules import RULES, Rule
from service.operations.doctor.validator_rules import delegated_rules, final_rules
from service.settings.program import Settings
from service.tokens.principal import Principal
from service.web.responses.challenge import error_response_for

_RULES_BEFORE_READING = 2
"""The number of rules for every token; other validators come after them."""
_NAME_SETTING = "; or, if every access token of this issuer is like this, set SERVICE_{}=true"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The report on one token; only ``lines`` prints it, with secrets removed."""

    findings: tuple[Finding, ...] = field(repr=False)
    conclusion: Principal | TokenError | IssuerUnavailable = field(repr=False)
    context: ExplainContext = field(repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the service would accept the token."""
        return isinstance(self.conclusion, Principal)

    def lines(self) -> list[str]:
        """Return the report as lines without secrets and control characters."""
        secrets = [self.context.text, *self.context.text.split(".")]
        return [escape_for_terminal(redact(line, secrets)) for line in self._report_lines()]

    def _report_lines(self) -> Iterator[str]:
        yield from self.remarks
        if self.context.header is not None:
            yield "header, unverified:"
            yield from indent_json(self.context.header)
        if self.context.claims is not None:
            yield "claims, unverified:"
            yield from indent_json(self.context.claims)
        yield "rules, in the order in which the service applies them:"
        for finding in self.findings:
            yield from finding.lines()
        yield f"conclusion: {self._conclusion()}"

    def _conclusion(self) -> str:
        if isinstance(self.conclusion, Principal):
            return f"accepted: {_describe_principal(self.conclusion, self.context.now)}"
        response = error_response_for(self.conclusion, realm=self.context.settings.realm)
        if isinstance(self.conclusion, IssuerUnavailable):
            return f"undecided, because the issuer is unavailable; the service responds with {response.status}"
        return (
            f"rejected ({self.conclusion.reason}): {response.description}; the service responds with {response.status}"
        )


async def explain(
    text: str, settings: Settings, *, client: JSONClient, clock: Clock, request: ProofRequest | None = None
) -> Explanation:
    """Apply each rule of the service to one token.

    Args:
        text: The token, possibly with pasted text around it.
        request: The DPoP proof that was sent with it; None if it was sent alone.

    Raises:
        SettingsError: A kind of validation does not exist.
    """
    token, remarks = strip_pasted_text(text)
    context = ExplainContext(text=token, settings=settings, client=client, clock=clock, now=clock.now())
    findings: list[Finding] = []
    rejection = None
    for rule in _rules_for(settings):
        if rejection is not None:
            findings.append(skipped(rule.description))
            continue
        rejection = await _apply_rule(rule, context, findings)
        if context.principal is not None:
            break
    conclusion = rejection or context.principal or _principal_of(context)
    if isinstance(conclusion, Principal):
        of_proof, error = explain_proof(conclusion, token, request, settings=settings, now=context.now)
        findings += of_proof
        conclusion = error or conclusion
    return Explanation(findings=tuple(findings), conclusion=conclusion, context=context, remarks=tuple(remarks))


def _rules_for(settings: Settings) -> tuple[Rule, ...]:
    first, then = RULES[:_RULES_BEFORE_READING], RULES[_RULES_BEFORE_READING:]
    return (*first, *delegated_rules(settings), *then, *final_rules(settings))


async def _apply_rule(
    rule: Rule, context: ExplainContext, findings: list[Finding]
) -> TokenError | IssuerUnavailable | None:
    """Append the finding of a rule, and return the error if the token breaks the rule."""
    context.clear()
    try:
        await rule.run(context)
    except IssuerUnavailable as exc:
        advice = "the token may be valid; python -m service check shows what is wrong with the issuer"
        findings.append(Finding(outcome=Outcome.UNKNOWN, about=rule.description, found=exc.detail, advice=advice))
        return exc
    except TokenError as exc:
        found = context.found or exc.detail
        # The other settings have a value of their own; the advice of the rule says which.
        is_switch = exc.setting.startswith("insecure_")
        advice = context.advice + (_NAME_SETTING.format(exc.setting.upper()) if is_switch else "")
        findings.append(fail(rule.description, found, advice, expected=context.expected))
        return exc
    findings.append(ok(rule.description, context.found))
    return None


def _principal_of(context: ExplainContext) -> Principal:
    claims = context.token.unverified_claims  # every rule has passed, the signature included
    return Principal.from_claims(claims, names=context.rules.names, max_token_age=context.trusted.max_token_age)


def _describe_principal(principal: Principal, now: float) -> str:
    who = to_json(principal.subject) if principal.subject else "no subject"
    client = f", client {to_json(principal.client_id)}" if principal.client_id else ""
    granted = {"scopes": principal.scopes, "groups": principal.groups, "roles": principal.roles}
    listed = "; ".join(
        f"{name}: {' '.join(sorted(values)) or 'none'}"
        for name, values in granted.items()
        if values or name == "scopes"
    )
    return f"subject {who}{client}, until {format_date(principal.expires_at, now)}; {listed}"
