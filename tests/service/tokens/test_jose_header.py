from __future__ import annotations

import pytest

from service.errors import InvalidToken, Reason
from service.tokens.jose_header import JOSEHeader, check_header


def test_accepts_a_header_with_an_allowed_algorithm_and_a_key_id() -> None:
    header = {"alg": "RS256", "kid": "a", "typ": "JWT", "jwk": {}, "jku": "https://attacker.example/"}
    assert ("RS256", "a") == check_header(JOSEHeader.of(header), algorithms={"RS256"})


def test_accepts_a_header_without_a_key_id() -> None:
    assert ("RS256", None) == check_header(JOSEHeader.of({"alg": "RS256"}), algorithms={"RS256"})


BAD_HEADERS: dict[str, tuple[dict[str, object], Reason]] = {
    "no algorithm": ({}, Reason.UNSUPPORTED_ALGORITHM),
    "none": ({"alg": "none"}, Reason.UNSUPPORTED_ALGORITHM),
    "None": ({"alg": "None"}, Reason.UNSUPPORTED_ALGORITHM),
    "a symmetric algorithm": ({"alg": "HS256"}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is not on the list": ({"alg": "RS512"}, Reason.UNSUPPORTED_ALGORITHM),
    "the right one in lower case": ({"alg": "rs256"}, Reason.UNSUPPORTED_ALGORITHM),
    "a list of algorithms": ({"alg": ["RS256"]}, Reason.UNSUPPORTED_ALGORITHM),
    "an algorithm that is null": ({"alg": None}, Reason.UNSUPPORTED_ALGORITHM),
    "crit": ({"alg": "RS256", "crit": ["exp"]}, Reason.CRITICAL_HEADER),
    "an empty crit": ({"alg": "RS256", "crit": []}, Reason.CRITICAL_HEADER),
    "b64": ({"alg": "RS256", "b64": True}, Reason.CRITICAL_HEADER),
    "zip": ({"alg": "RS256", "zip": "DEF"}, Reason.CRITICAL_HEADER),
    "a kid that is a number": ({"alg": "RS256", "kid": 1}, Reason.MALFORMED_TOKEN),
    "a kid that is null": ({"alg": "RS256", "kid": None}, Reason.MALFORMED_TOKEN),
    "a kid without end": ({"alg": "RS256", "kid": "k" * 2000}, Reason.MALFORMED_TOKEN),
}


@pytest.mark.parametrize(("header", "reason"), BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_refuses_a_header_with(header: dict[str, object], reason: Reason) -> None:
    with pytest.raises(InvalidToken) as refusal:
        check_header(JOSEHeader.of(header), algorithms={"RS256"})
    assert reason is refusal.value.reason
