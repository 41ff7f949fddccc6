from __future__ import annotations

from okta_wire.page import COMMAND, FILE, rendered

from fakeissuer.server.running_issuer import RunningIssuer


def test_the_page_is_current(fake_issuer: RunningIssuer) -> None:
    assert FILE.read_text("utf-8") == rendered(fake_issuer), f"write the page anew: {COMMAND}"
