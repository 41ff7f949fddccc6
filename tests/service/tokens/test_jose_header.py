from __future__ import annotations

import pytest

from service.errors import InvalidToken, Reason
from service.tokens.jose_header import JOSEHeader, check_header


def test_an_allowed_algorithm_and_the_key_id_are_returned() -> None:
    header = {"alg": "RS256", "kid": "a", "typ": "JWT", "jwk": {}, "jku": "https://attacker.example/"}
    assert ("RS256", "a") == check_header(JOSEHeader.of(header), algorithms={"RS256"})


def test_the_key_id_is_optional() -> None:
    assert ("RS256", None) == check_header(JOSEHeader.of({"alg": "RS256"}), algorithms={"RS256"})


INVALID: dict[str, tuple[dict[str, object], Reason]] = {
    "no algorithm": ({}, Reason.UNSUPPORTED_ALGORITHM),
    "none": ({"alg": "none"}, Reason.UNSUPPORTED_ALGORITHM),
    "None": ({"alg": "None"}, Reason.UNSUPPORTED_ALGORITHM),
    "a symmetric algorithm": ({"alg": "HS256"}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is not allowed": ({"alg": "RS512"}, Reason.UNSUPPORTED_ALGORITHM),
    "an allowed algorithm in lower case": ({"alg": "rs256"}, Reason.UNSUPPORTED_ALGORITHM),
    "a list of algorithms": ({"alg": ["RS256"]}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is null": ({"alg": None}, Reason.UNSUPPORTED_ALGORITHM),
    "crit": ({"alg": "RS256", "crit": ["exp"]}, Reason.CRITICAL_HEADER),
    "an empty crit": ({"alg": "RS256", "crit": []}, Reason.CRITICAL_HEADER),
    "b64": ({"alg": "RS256", "b64": True}, Reason.CRITICAL_HEADER),
    "zip": ({"alg": "RS256", "zip": "DEF"}, Reason.CRITICAL_HEADER),
    "a kid that is a number": ({"alg": "RS256", "kid": 1}, Reason.MALFORMED_TOKEN),
    "a kid that is null": ({"alg": "RS256", "kid": None}, Reason.MALFORMED_TOKEN),
    "a kid that is too long": ({"alg": "RS256", "kid": "k" * 2000}, Reason.MALFORMED_TOKEN),
}


@pytest.mark.parametrize(("header", "reason"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_header_is_rejected(header: dict[str, object], reason: Reason) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_header(JOSEHeader.of(header), algorithms={"RS256"})
    assert reason is exc_info.value.reason
