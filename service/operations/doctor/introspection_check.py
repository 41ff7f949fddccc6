"""Asks an issuer about a token that nobody issued, to see whether it would answer about others."""

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
    """Return whether an issuer answers us, and tells the truth about a made-up token.

    Raises:
        SettingsError: The credentials cannot be used.
    """
    try:
        document = await issuer.introspection.introspect(f"made-up-{secrets.token_urlsafe(16)}")
    except CredentialsRejected as exc:
        advice = (
            "is OKTA_OAUTH2_CLIENT_ID a client of this very issuer, is its secret or key the one that is set here, "
            "and is it registered for this way of authenticating (introspection_auth_method)? Until then: 503"
        )
        return fail(_ABOUT, f"{exc.detail}, as {to_json(credentials.client_id)}", advice)
    except IssuerUnavailable as exc:
        return fail(_ABOUT, exc.detail, "tokens that only the issuer can judge get 503 until it answers")
    finally:
        await issuer.close()
    if document["active"] is not False:
        advice = "what calls everything active protects nothing; is this the introspection endpoint?"
        return fail(_ABOUT, f"it calls a made-up token active: {to_json(document['active'])}", advice, expected="false")
    return ok(_ABOUT, f"it knows {to_json(credentials.client_id)}, and calls a made-up token inactive")
