from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from service.operations.doctor.host.exposure import check_admin_port, check_cors, check_trusted_proxies
from service.operations.doctor.report import Outcome
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"
TOKEN = "operators-only-0123456789-abcdefghij"

CASES: dict[str, tuple[Any, dict[str, Any], Outcome, str]] = {
    "no page": (check_cors, {}, Outcome.OK, "none"),
    "one page": (check_cors, {"cors_origins": ("https://app.example",)}, Outcome.OK, "https://app.example"),
    "every page": (check_cors, {"cors_origins": ("*",)}, Outcome.WARN, "every site"),
    "a page without TLS": (check_cors, {"cors_origins": ("http://app.example",)}, Outcome.WARN, "use https"),
    "no proxy": (check_trusted_proxies, {}, Outcome.OK, "are ignored"),
    "no proxy at a Unix socket": (
        check_trusted_proxies, {"address": "unix:/run/api.sock"}, Outcome.WARN, "add unix to trusted_proxies",
    ),
    "an internal network": (check_trusted_proxies, {"trusted_proxies": ("10.0.0.0/8", "unix")}, Outcome.OK, "unix"),
    "an internal network of IPv6": (check_trusted_proxies, {"trusted_proxies": ("fd00::/8",)}, Outcome.OK, "fd00"),
    "a network of a provider": (check_trusted_proxies, {"trusted_proxies": ("203.0.112.0/22",)}, Outcome.OK, "203"),
    "half the internet": (
        check_trusted_proxies, {"trusted_proxies": ("128.0.0.0/1",)}, Outcome.WARN, "every machine in 128.0.0.0/1",
    ),
    "the internet of IPv6": (check_trusted_proxies, {"trusted_proxies": ("2000::/3",)}, Outcome.WARN, "2000::/3"),
    "no admin port": (check_admin_port, {}, Outcome.OK, "off"),
    "an admin port for metrics": (check_admin_port, {"admin_port": 0}, Outcome.OK, "no token is set"),
    "an admin port for operators": (
        check_admin_port, {"admin_port": 9100, "admin_token": TOKEN}, Outcome.OK, "127.0.0.1:9100, changes by admin_",
    ),
    "an admin port at a Unix socket": (
        check_admin_port, {"admin_address": "unix:/run/admin.sock"}, Outcome.OK, "unix:/run/admin.sock, no token",
    ),
    "an admin port on the network": (
        check_admin_port, {"admin_port": 0, "admin_address": "10.0.0.5"}, Outcome.WARN, "tokens can be read",
    ),
    "an admin port on every address": (
        check_admin_port, {"admin_port": 0, "admin_address": "0.0.0.0", "tls": 1}, Outcome.WARN, "on every address",
    ),
    "an admin port on the network with TLS": (
        check_admin_port, {"admin_port": 0, "admin_address": "admin.internal", "tls": 1}, Outcome.OK, "with TLS",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("check", "values", "outcome", "words"), CASES.values(), ids=CASES)
def test_what_others_can_reach_is_checked(
    check: Any, values: dict[str, Any], outcome: Outcome, words: str, tmp_path: Path
) -> None:
    if values.get("tls"):
        issued = Authority(tmp_path).issue("api.example")
        values = values | {"certfile": str(issued.file), "keyfile": str(issued.key_file)}
        del values["tls"]
    finding = check(Settings.from_keywords(issuer=OKTA, **values))
    assert outcome is finding.outcome
    assert words in finding.line()
    assert TOKEN not in finding.line()
