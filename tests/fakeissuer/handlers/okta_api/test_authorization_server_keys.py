from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]


def test_a_rotation_moves_each_key_to_its_next_status(fake_issuer: RunningIssuer, ask: Ask) -> None:
    url = f"{fake_issuer.url}/api/v1/authorizationServers/default/credentials"
    headers = {"Authorization": "SSWS x"}
    before = ask(f"{url}/keys", headers=headers).json()
    assert [key["status"] for key in before] == ["ACTIVE", "NEXT"]
    after = ask(f"{url}/lifecycle/keyRotate", "POST", body=b'{"use":"sig"}', headers=headers).json()
    assert [key["status"] for key in after] == ["ACTIVE", "NEXT", "EXPIRED"]
    assert (after[0]["kid"], after[2]["kid"]) == (before[1]["kid"], before[0]["kid"])
    assert after[0]["_links"]["self"]["href"] == f"{url}/keys/{after[0]['kid']}"
    assert {key["kid"] for key in after} == {key["kid"] for key in fake_issuer.key_set()["keys"]}


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://attacker.example"}])
def test_a_page_of_another_origin_rotates_no_keys_and_removes_no_client(
    fake_issuer: RunningIssuer, ask: Ask, headers: dict[str, str]
) -> None:
    before = (fake_issuer.keys(), fake_issuer.overview())
    sent = {"Authorization": "SSWS x", **headers}
    keys = f"{fake_issuer.url}/api/v1/authorizationServers/default/credentials"
    client = f"{fake_issuer.url}/oauth2/v1/clients/0oaweb00000000000001"
    responses = [
        ask(f"{keys}/lifecycle/keyRotate", "POST", body=b'{"use":"sig"}', headers=sent),
        ask(client, "DELETE", headers=sent),
        ask(client, "PUT", body=b'{"client_name": "x"}', headers={**sent, "Content-Type": "application/json"}),
        ask(f"{client}/lifecycle/newSecret", "POST", headers=sent),
    ]
    assert [(response.status, response.json()["errorCode"]) for response in responses] == [(403, "E0000006")] * 4
    assert (fake_issuer.keys(), fake_issuer.overview()) == before
