from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
