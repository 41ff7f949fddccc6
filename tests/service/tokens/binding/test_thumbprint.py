from __future__ import annotations

import pytest
from jwcrypto.jwk import JWK

from service.tokens.binding.thumbprint import jwk_thumbprint

# RFC 7638 section 3.1, and RFC 8037 appendix A.3.
RSA = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def test_the_examples_of_the_rfcs_have_their_thumbprints() -> None:
    assert "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" == jwk_thumbprint(RSA)
    assert "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" == jwk_thumbprint(ED25519)


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_a_thumbprint_is_that_of_another_library(curve: str) -> None:
    key = JWK.generate(kty="EC", crv=curve)
    assert key.thumbprint() == jwk_thumbprint(key.export_public(as_dict=True) | {"kid": "a", "use": "sig"})
