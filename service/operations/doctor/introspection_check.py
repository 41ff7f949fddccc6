"""Introspects an invented token, to test the endpoint and the client credentials."""

from __future__ import annotations

import secrets

from service.errors import IssuerUnavailable
from service.issuers.introspection import CredentialsRejected
from service.issuers.issuer import Issuer
from service.operations.doctor.formatting import to_json
from service.operations.doctor.report import Finding, fail, ok
from service.settings.issuers import ClientCredentials

_ABOUT = "introspection"


async def check_introspection(issuer: Issuer, credentials: ClientCredentials) -> Finding:
    """Return whether an issuer accepts our credentials, and reports an invented token as inactive.

    Raises:
        SettingsError: The credentials cannot be used.
    """
    try:
        document = await issuer.introspection.introspect(f"made-up-{secrets.token_urlsafe(16)}")
    except CredentialsRejected as exc:
        advice = (
            "is OKTA_OAUTH2_CLIENT_ID a client of this issuer, is its secret or key right, "
            "and is it registered for this authentication method (introspection_auth_method)? Until then: 503"
        )
        return fail(_ABOUT, f"{exc.detail}, as {to_json(credentials.client_id)}", advice)
    except IssuerUnavailable as exc:
        return fail(_ABOUT, exc.detail, "tokens that must be introspected get 503 until it responds")
    finally:
        await issuer.close()
    if document["active"] is not False:
        advice = "an endpoint that reports every token as active protects nothing; is this the introspection endpoint?"
        return fail(
            _ABOUT, f"an invented token is reported as active: {to_json(document['active'])}", advice, expected="false"
        )
    return ok(_ABOUT, f"it accepts the client {to_json(credentials.client_id)}, and an invented token is inactive")
