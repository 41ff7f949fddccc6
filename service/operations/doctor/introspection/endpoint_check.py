"""Sends one introspection request with an invented token."""

from __future__ import annotations

import secrets

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.breaker import CredentialsRejected
from service.issuers.client import JSONClient
from service.issuers.failures import UnexpectedStatus
from service.issuers.issuer import Issuer
from service.operations.doctor.formatting import to_json
from service.operations.doctor.introspection.rejection import find_cause
from service.operations.doctor.report import Finding, fail, ok
from service.settings.issuers import ClientCredentials


async def check_introspection(
    issuer: Issuer, credentials: ClientCredentials, *, client: JSONClient, clock: Clock
) -> Finding:
    """Return whether an issuer accepts our credentials, and reports an invented token as inactive.

    Raises:
        SettingsError: The credentials cannot be used.
    """
    about = "introspection"
    try:
        document = await issuer.introspection.introspect(f"made-up-{secrets.token_urlsafe(16)}")
    except IssuerUnavailable as exc:
        advice = "tokens that must be introspected get 503 until it responds"
        is_rejection = isinstance(exc, CredentialsRejected)
        if is_rejection or (isinstance(exc, UnexpectedStatus) and exc.status == 400):
            cause = await find_cause(issuer.introspection, credentials, client=client, clock=clock)
            advice = f"{cause}. Until then: 503" if cause else advice
        return fail(about, f"{exc.detail}, as {to_json(credentials.client_id)}" if is_rejection else exc.detail, advice)
    finally:
        await issuer.close()
    if document["active"] is not False:
        advice = "an endpoint that reports every token as active protects nothing; is this the introspection endpoint?"
        return fail(
            about, f"an invented token is reported as active: {to_json(document['active'])}", advice, expected="false"
        )
    return ok(about, f"it accepts the client {to_json(credentials.client_id)}, and an invented token is inactive")
