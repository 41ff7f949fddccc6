"""How clients prove who they are, and each way to get it wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwcrypto.jwk import JWK

from fakeissuer.oauth.client_authentication import ASSERTION_TYPE
from okta_wire.row import Row, Section, oauth_error, okta_error
from okta_wire.sections.token_success import OWN
from okta_wire.signing import LONG_SECRET, public_key, signed
from okta_wire.world import NOW, SERVICE, Request, World, post, token_request

CLIENT, _, SECRET = SERVICE.partition(":")
GRANT = {"grant_type": "client_credentials"}


def _assertion(world: World, *, alg: str = "ES256", kid: str = "mine", secret: str = "", **claims: Any) -> str:
    good = {"iss": "app", "sub": "app", "aud": f"{world.issuer.issuer_url()}/v1/token", "exp": NOW + 60, "jti": "1"}
    return signed({**good, **claims}, alg=alg, kid=kid, secret=secret)


def _by_assertion(
    *, jwks: list[dict[str, Any]] | None = None, registered: str = "", endpoint: str = "token", **more: Any
) -> Callable[[World], Request]:
    def ask(world: World) -> Request:
        known: dict[str, Any] = {"name": "app", "grant_types": ["client_credentials"]}
        if registered:
            # A shorter secret can be registered for other methods alone.
            is_long = len(registered) >= len(LONG_SECRET)
            known |= {"secret": registered, "auth_methods": ["client_secret_jwt" if is_long else "client_secret_basic"]}
        else:
            known |= {"jwks": {"keys": jwks or [public_key()]}, "auth_methods": ["private_key_jwt"]}
        world.issuer.put("clients", "app", **known)
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": _assertion(world, **more)}
        return post(endpoint, **GRANT, **form)

    return ask


def _replayed(world: World) -> Request:
    request = _by_assertion()(world)
    world.send(request)
    return request


def _odd_secret(sent: str) -> Callable[[World], Request]:
    def ask(world: World) -> Request:
        world.issuer.put("clients", "odd", name="odd", secret="a+b%c", grant_types=["client_credentials"])
        return token_request(**GRANT, client=f"odd:{sent}")

    return ask


def _post(**form: Any) -> Request:
    return post("token", **{**GRANT, **form})


INVALID: dict[str, Request | Callable[[World], Request]] = {
    "iss and sub differ": _by_assertion(iss="another"),
    "of an unknown client": _by_assertion(iss="unknown", sub="unknown"),
    "for another endpoint": _by_assertion(endpoint="introspect"),
    "for the issuer": _by_assertion(aud="http://127.0.0.1"),
    "without exp": _by_assertion(exp=None),
    "expired": _by_assertion(exp=NOW),
    "valid for more than an hour": _by_assertion(exp=NOW + 3601),
    "issued in the future": _by_assertion(iat=NOW + 1),
    "a second time": _replayed,
    "another client's signature": _by_assertion(
        jwks=[JWK.generate(kty="EC", crv="P-256", kid="mine").export_public(as_dict=True)]
    ),
    "not a JWT": _post(client_assertion="x", client_assertion_type=ASSERTION_TYPE),
    "another kid": _by_assertion(kid="other"),
    "alg none": _by_assertion(alg="none"),
    "a secret of 31 characters": _by_assertion(registered="s" * 31, alg="HS256", secret="s" * 31),
    "a client without a key set": _by_assertion(registered=LONG_SECRET),
    "a key for encryption": _by_assertion(jwks=[public_key(use="enc")]),
}
BASIC = {"Authorization": "Basic !"}

SECTION = Section(
    "Client authentication",
    (
        oauth_error("no credentials", _post(), 401, "invalid_client", WWW_Authenticate=None),
        oauth_error("a client ID without its secret", _post(client_id=CLIENT), 401, "invalid_client"),
        okta_error("an unknown client", token_request(**GRANT, client="unknown:x"), 401, "invalid_client"),
        okta_error("an unknown client in the body", _post(client_id="unknown"), 401, "invalid_client"),
        oauth_error("a wrong secret", token_request(**GRANT, client=f"{CLIENT}:x"), 401, "invalid_client"),
        oauth_error("a wrong secret in the body", _post(client_id=CLIENT, client_secret="x"), 401, "invalid_client"),
        oauth_error(
            "a secret of a public client",
            token_request(**GRANT, client="0oaspa00000000000001:x"),
            401,
            "invalid_client",
        ),
        oauth_error(
            "Basic that cannot be decoded",
            Request(path="/oauth2/default/v1/token", method="POST", form=GRANT, headers=BASIC),
            401,
            "invalid_client",
        ),
        Row("a secret with special characters, form-encoded", _odd_secret("a%2Bb%25c"), 200, "", OWN),
        Row("a secret with special characters, not form-encoded", _odd_secret("a+b%c"), 200, "", OWN),
        oauth_error(
            "two methods at once",
            post("token", SERVICE, **GRANT, client_id=CLIENT, client_secret=SECRET),
            401,
            "invalid_request",
        ),
        oauth_error(
            "the secret in the URL",
            Request(
                path="/oauth2/default/v1/token",
                method="POST",
                form=GRANT,
                query={"client_id": CLIENT, "client_secret": SECRET},
            ),
            400,
            "invalid_request",
        ),
        oauth_error(
            "a parameter twice", post("token", SERVICE, grant_type=["client_credentials"] * 2), 400, "invalid_request"
        ),
        oauth_error(
            "a wrong client_assertion_type",
            _post(client_assertion="x", client_assertion_type="saml"),
            400,
            "invalid_request",
        ),
        oauth_error(
            "the right client with an invalid code", token_request("authorization_code", code="x"), 400, "invalid_grant"
        ),
        *(
            Row(f"an assertion by {alg}", _by_assertion(jwks=[public_key(alg)], alg=alg), 200, "", OWN)
            for alg in ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
        ),
        *(
            Row(
                f"an assertion by {alg}",
                _by_assertion(registered=LONG_SECRET, alg=alg, secret=LONG_SECRET),
                200,
                "",
                OWN,
            )
            for alg in ("HS256", "HS384", "HS512")
        ),
        *(oauth_error(f"an assertion: {case}", ask, 401, "invalid_client") for case, ask in INVALID.items()),
    ),
)
