"""The rules that delegate to a validator or to the issuer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from service.errors import InvalidToken, TokenError
from service.operations.doctor.claim_rules import advice_on, check_claim, check_strings
from service.operations.doctor.context import ExplainContext, Rule, is_validated_locally
from service.operations.doctor.formatting import to_json
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.tokens.claims import CHECKS
from service.tokens.token_kinds import check_kind
from service.validators import auto, hybrid, introspection
from service.validators.base import Factory
from service.validators.introspection import IntrospectionValidator
from service.validators.introspection_claims import with_setting_for_jwt, with_setting_for_response
from service.validators.registry import find_factory

# A token of another kind often lacks a claim that another check requires, so the service checks the kind first.
_CHECKS = tuple(sorted(CHECKS, key=lambda check: check.check is not check_kind))


def delegated_rules(settings: Settings) -> Iterator[Rule]:
    """Yield one rule for each issuer whose tokens another validator may validate.

    Raises:
        SettingsError: The settings name an unknown kind of validation.
    """
    for issuer in settings.trusted_issuers:
        factory = find_factory(issuer.validation)
        if not is_validated_locally(issuer):
            is_introspected = factory in {introspection.build, auto.build}
            yield _introspection_rule(issuer) if is_introspected else _validator_rule(issuer, factory)
        elif factory is auto.build and issuer.client is not None:
            yield _opaque_rule(issuer)


def final_rules(settings: Settings) -> Iterator[Rule]:
    """Yield the introspection rule if an issuer is validated in hybrid mode."""
    if any(find_factory(issuer.validation) is hybrid.build for issuer in settings.trusted_issuers):
        yield Rule("if its issuer is validated in hybrid mode, it is introspected, too", _introspect_in_hybrid_mode)


def _validator_rule(issuer: TrustedIssuer, factory: Factory) -> Rule:
    async def run(context: ExplainContext) -> None:
        if _is_handled_by(context, issuer):
            context.found = "skipped, since another validator handles the token"
            return
        _show_jwt(context)
        validator = factory(issuer, context.validator_context)
        context.resources.push_async_callback(validator.close)
        try:
            context.principal = await validator.validate(context.token)
        except TokenError as exc:
            context.advice = advice_on(exc)
            raise
        known = "it accepts the token"
        context.found = known if context.principal is not None else "the token is malformed, or of another issuer"

    return Rule(f"the validator {issuer.validation} of {issuer.issuer} accepts it", run)


def _introspection_rule(issuer: TrustedIssuer) -> Rule:
    async def run(context: ExplainContext) -> None:
        is_foreign = context.token.jws is not None and context.token.unverified_issuer != issuer.profile.token_issuer
        if _is_handled_by(context, issuer):
            context.found = "skipped, since another validator handles the token"
        elif context.token.is_malformed_jwt or is_foreign:
            context.found = "skipped, since the token is malformed, or of another issuer"
        else:
            _follow_introspection(context, issuer)

    return Rule(f"{issuer.issuer} introspects it", run)


def _opaque_rule(issuer: TrustedIssuer) -> Rule:
    async def run(context: ExplainContext) -> None:
        signed = context.token.jws
        if context.token.is_malformed_jwt or (signed is not None and not signed.header.is_of_okta_org_token):
            context.found = "skipped, since the token is a JWT and is validated locally"
        elif signed is None or context.token.unverified_issuer == issuer.profile.token_issuer:
            _follow_introspection(context, issuer)
        else:
            context.found = "skipped, since the token is of another issuer"

    return Rule(f"if it is opaque, {issuer.issuer} introspects it", run)


async def _introspect_in_hybrid_mode(context: ExplainContext) -> None:
    if find_factory(context.trusted.validation) is hybrid.build:
        validator = _open_validator(context, context.trusted)
        context.following = list(_response_rules(validator, is_final=False))
    else:
        context.found = "skipped, since the issuer is not validated in hybrid mode"


def _follow_introspection(context: ExplainContext, issuer: TrustedIssuer) -> None:
    _show_jwt(context)
    context.issuer = issuer
    validator = _open_validator(context, issuer)
    of_jwt = () if context.token.jws is None else _jwt_rules(context, validator)
    context.following = [*of_jwt, *_response_rules(validator, is_final=True)]


def _open_validator(context: ExplainContext, issuer: TrustedIssuer) -> IntrospectionValidator:
    validator = introspection.build(issuer, context.validator_context)
    context.resources.push_async_callback(validator.close)
    return validator


def _show_jwt(context: ExplainContext) -> None:
    if context.token.jws is not None:
        context.header, context.claims = context.token.jws.header.parameters, context.token.unverified_claims


def _jwt_rules(context: ExplainContext, validator: IntrospectionValidator) -> Iterator[Rule]:
    """Yield the rules that a JWT must pass before it is introspected."""
    claims = context.token.unverified_claims
    yield Rule("the header of the token is acceptable", partial(_check_header, validator))
    convert = partial(with_setting_for_jwt, claims=claims)
    yield from _claim_rules("token", claims, validator.rules_of_jwt, convert)
    yield Rule("by the token, its subject, ID, client and scopes are strings", check_strings)


def _response_rules(validator: IntrospectionValidator, *, is_final: bool) -> Iterator[Rule]:
    """Yield the rules for the introspection response.

    Args:
        is_final: Whether the response makes the principal, and not the claims of the token.
    """

    async def introspect(context: ExplainContext) -> None:
        context.found, context.expected = "", "active: true"
        try:
            claims, _ = await validator.introspect(context.token)
            rules = await validator.rules_of_response(context.token)
        except TokenError as exc:
            context.advice = advice_on(exc)
            raise
        context.found, context.response = "active", claims
        convert = partial(with_setting_for_response, claims=claims, is_opaque=context.token.jws is None)
        context.following = list(_claim_rules("response", claims, rules, convert))

    async def validate(context: ExplainContext) -> None:
        context.expected = "strings, one client, and scopes separated by single spaces"
        try:
            validated = await validator.validate_uncached(context.token)
        except TokenError as exc:
            context.advice = advice_on(exc)
            raise
        if is_final and validated is not None:
            context.principal = validated.principal

    yield Rule("introspection reports it as active", introspect)
    yield Rule("the service accepts the response", validate)


def _claim_rules(
    name: str, claims: dict[str, Any], rules: Any, convert: Callable[[InvalidToken], InvalidToken]
) -> Iterator[Rule]:
    for check in _CHECKS:
        rule = check_claim(check, claims=claims, rules=rules, convert=convert)
        yield Rule(f"by the {name}, {check.description}", rule)


async def _check_header(validator: IntrospectionValidator, context: ExplainContext) -> None:
    signed = context.jws
    shown = [f"{name} = {to_json(value)}" for name, value in signed.header.parameters.items() if name != "kid"]
    context.found = ", ".join(shown)
    context.expected = f"the type {'at+jwt' if context.rules.requires_rfc9068 else 'JWT, at+jwt, or none'}, signed"
    try:
        validator.check_header(signed)
    except InvalidToken as exc:
        is_of_type = exc.claim == "typ"
        context.advice = "send the access token instead" if is_of_type else advice_on(exc)
        raise


def _is_handled_by(context: ExplainContext, issuer: TrustedIssuer) -> bool:
    """Return whether an issuer earlier in the settings is the issuer of the token."""
    name = context.token.unverified_issuer
    names = [trusted.issuer for trusted in context.settings.trusted_issuers]
    earlier = context.settings.trusted_issuers[: names.index(issuer.issuer)]
    return any(trusted.profile.token_issuer == name and is_validated_locally(trusted) for trusted in earlier)
