from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]


def max_age_s(response: Any) -> int:
    directive, _, other = response.headers["Cache-Control"].partition(", ")
    assert other == "must-revalidate"
    return int(directive.removeprefix("max-age="))


def test_the_max_age_counts_down_to_the_next_rotation(fake_issuer: RunningIssuer, ask: Ask) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/keys"
    before = ask(url)
    fake_issuer.clock.advance(max_age_s(before) - 10)
    shortly_before = ask(url)
    assert shortly_before.body == before.body
    assert 8 <= max_age_s(shortly_before) <= 10
    fake_issuer.clock.advance(11)
    after = ask(url)
    assert max_age_s(after) > 89 * 86_400
    before_kids, after_kids = ([key["kid"] for key in response.json()["keys"]] for response in (before, after))
    assert after_kids[0] == before_kids[1]
    assert before_kids[0] in after_kids


def test_the_previous_key_stays_published_after_a_rotation(fake_issuer: RunningIssuer, ask: Ask) -> None:
    kid = fake_issuer.mint().header["kid"]
    fake_issuer.rotate()
    assert kid in [key["kid"] for key in ask(f"{fake_issuer.issuer_url()}/v1/keys").json()["keys"]]
    fake_issuer.withdraw(kid)
    assert kid not in [key["kid"] for key in ask(f"{fake_issuer.issuer_url()}/v1/keys").json()["keys"]]


def test_each_server_has_its_own_keys_and_the_org_publishes_no_access_token_key(
    fake_issuer: RunningIssuer, ask: Ask
) -> None:
    kids = {
        server: {key["kid"] for key in ask(url).json()["keys"]}
        for server, url in (
            ("default", f"{fake_issuer.url}/oauth2/default/v1/keys"),
            ("partner", f"{fake_issuer.url}/oauth2/partner/v1/keys"),
            ("org", f"{fake_issuer.url}/oauth2/v1/keys"),
        )
    }
    assert len(set.union(*kids.values())) == 6
    assert fake_issuer.mint(server="org").header["kid"] not in kids["org"]
    assert fake_issuer.mint(server="org", kind="id").header["kid"] in kids["org"]
