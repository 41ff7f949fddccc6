"""``explain``: the conclusion on one token, and why, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from service.clock import Clock
from service.errors import IssuerUnavailable, TokenError
from service.issuers.client import JSONClient
from service.operations.doctor.context import ExplainContext
from service.operations.doctor.formatting import escape_for_terminal, format_date, indent_json, redact, to_json
from service.operations.doctor.input import strip_pasted_text
from service.operations.doctor.report import Finding, Outcome, fail, ok, skipped
from service.operations.doctor.rules import RULES, Rule
from service.operations.doctor.validator_rules import delegated_rules, final_rules
from service.settings.program import Settings
from service.tokens.principal import Principal
from service.web.responses.challenge import error_response_for

_RULES_BEFORE_READING = 2
"""The rules that hold for every token; after them, validators of another kind may know it."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The conclusion on one token. What it holds is printed by ``lines`` alone, which knows what to hide."""

    findings: tuple[Finding, ...] = field(repr=False)
    conclusion: Principal | TokenError | IssuerUnavailable = field(repr=False)
    context: ExplainContext = field(repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the service would accept the token."""
        return isinstance(self.conclusion, Principal)

    def lines(self) -> list[str]:
        """Return the whole report, in lines that a terminal only shows."""
        secrets = [self.context.text, *self.context.text.split(".")]
        return [escape_for_terminal(redact(line, secrets)) for line in self._report_lines()]

    def _report_lines(self) -> Iterator[str]:
        yield from self.remarks
        if self.context.header is not None:
            yield "header, as it was sent; anybody can write one, and only the signature tells who did:"
            yield from indent_json(self.context.header)
        if self.context.claims is not None:
            yield "claims, of which the same is true:"
            yield from indent_json(self.context.claims)
        yield "rules, in the order in which the service asks them:"
        for finding in self.findings:
            yield from finding.lines()
        yield f"conclusion: {self._conclusion()}"

    def _conclusion(self) -> str:
        if isinstance(self.conclusion, Principal):
            return f"accepted: {_describe_principal(self.conclusion, self.context.now)}"
        response = error_response_for(self.conclusion, realm=self.context.settings.realm)
        if isinstance(self.conclusion, IssuerUnavailable):
            return f"cannot be judged, because the issuer cannot be asked; the service answers {response.status}"
        return f"refused ({self.conclusion.reason}): {response.description}; the service answers {response.status}"


async def explain(text: str, settings: Settings, *, client: JSONClient, clock: Clock) -> Explanation:
    """Judge one token by each rule of the service in turn, and keep account; says no more than the service would.

    Args:
        text: The token, and whatever was pasted with it.

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
    return Explanation(findings=tuple(findings), conclusion=conclusion, context=context, remarks=tuple(remarks))


def _rules_for(settings: Settings) -> tuple[Rule, ...]:
    first, then = RULES[:_RULES_BEFORE_READING], RULES[_RULES_BEFORE_READING:]
    return (*first, *delegated_rules(settings), *then, *final_rules(settings))


async def _apply_rule(
    rule: Rule, context: ExplainContext, findings: list[Finding]
) -> TokenError | IssuerUnavailable | None:
    """Put the rule's finding on the list, and return its refusal where it refuses."""
    context.clear()
    try:
        await rule.run(context)
    except IssuerUnavailable as exc:
        advice = "the token may well be good; python -m service check tells what is wrong with the issuer"
        findings.append(Finding(outcome=Outcome.UNKNOWN, about=rule.description, found=exc.detail, advice=advice))
        return exc
    except TokenError as exc:
        found = context.found or exc.detail
        findings.append(fail(rule.description, found, context.advice, expected=context.expected))
        return exc
    findings.append(ok(rule.description, context.found))
    return None


def _principal_of(context: ExplainContext) -> Principal:
    claims = context.token.unverified_claims  # every rule has passed, the one about the signature among them
    return Principal.from_claims(claims, max_token_age=context.trusted.max_token_age)


def _describe_principal(principal: Principal, now: float) -> str:
    who = to_json(principal.subject) if principal.subject else "nobody in particular"
    client = f" at the client {to_json(principal.client_id)}" if principal.client_id else ""
    scopes = " ".join(sorted(principal.scopes)) or "none"
    return f"it speaks for {who}{client}, until {format_date(principal.expires_at, now)}; its scopes are: {scopes}"
