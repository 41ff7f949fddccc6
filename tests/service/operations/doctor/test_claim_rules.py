from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any

import pytest

from service.clock import ManualClock
from service.errors import InvalidToken
from service.issuers.client import JSONClient
from service.operations.doctor.claim_rules import check_claim
from service.operations.doctor.context import ExplainContext
from service.settings.program import Settings
from service.tokens.claim_rules import ClaimCheck
from service.tokens.claims import CHECKS

NOW = 1_700_000_000.0
LENIENT: dict[str, Any] = {"issuer": "https://x.example", "audience": ("api://x",)}
STRICT: dict[str, Any] = {
    "issuer": "https://x.example",
    "audience": ("api://x", "api://y"),
    "allowed_client_ids": ("0oa1",),
    "leeway": 0,
    "max_token_age": 300,
    "token_profile": "rfc9068",
}


def _apply(check: ClaimCheck, claims: dict[str, Any], settings: dict[str, Any]) -> ExplainContext:
    """Return the context after the rule of a check was applied to a token with these claims."""
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256"}, claims, "signature"))
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    client, program = JSONClient(), Settings(**settings)
    context = ExplainContext(text=text, settings=program, client=client, clock=ManualClock(NOW), now=NOW)
    (context.issuer,) = program.trusted_issuers
    with contextlib.closing(client), contextlib.suppress(InvalidToken):
        asyncio.run(_run(check, context))
    return context


async def _run(check: ClaimCheck, context: ExplainContext) -> None:
    await check_claim(check)(context)


@pytest.mark.parametrize("settings", [LENIENT, STRICT], ids=["lenient", "strict"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.description)
def test_every_rule_has_found_expected_and_advice(check: ClaimCheck, settings: dict[str, Any]) -> None:
    context = _apply(check, {}, settings)
    assert context.found
    assert context.expected
    assert "{" not in context.expected
    assert context.advice


def test_a_check_without_expected_and_advice_is_allowed() -> None:
    context = _apply(ClaimCheck("x", "it is new", lambda *_: None), {}, LENIENT)
    assert ("no x", "", "") == (context.found, context.expected, context.advice)


def test_a_date_is_shown_in_utc_and_relative_to_now() -> None:
    (check,) = [check for check in CHECKS if check.claim == "exp"]
    context = _apply(check, {"exp": 1_699_999_700}, LENIENT)
    assert "exp = 1699999700 (2023-11-14 22:08:20 UTC, 5 minutes ago)" == context.found
    assert "a date after 2023-11-14 22:11:20 UTC, 2 minutes ago (a leeway of 2 minutes)" == context.expected
    assert 'exp = "x" (not a NumericDate)' == _apply(check, {"exp": "x"}, LENIENT).found


def test_every_claim_that_a_check_reads_is_shown() -> None:
    checks = {check.claim: check for check in CHECKS}
    assert 'cid = "0oa2"' == _apply(checks["client_id"], {"cid": "0oa2"}, STRICT).found
    assert 'jti = "ID.1", at_hash = "y"' == _apply(checks["jti"], {"jti": "ID.1", "at_hash": "y"}, STRICT).found
    assert "the claims iss, sub" == _apply(checks[None], {"sub": "a", "iss": "b"}, STRICT).found
