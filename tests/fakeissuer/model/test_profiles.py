from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seeded import API

from fakeissuer.server.in_process import running

Ask = Callable[..., Any]

SWITCHED = """
[variants]
unknown_client_status = 400
introspection_names_client_as_user = true
"""


def test_what_nobody_knows_of_okta_can_be_switched(tmp_path: Path, ask: Ask) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text(SWITCHED)
    with running(config_file=file) as issuer:
        endpoints = f"{issuer.issuer_url()}/v1"
        refused = ask(f"{endpoints}/token", "POST", form={"grant_type": "client_credentials"}, client="unknown:x")
        form = {"token": issuer.token()}
        told = ask(f"{endpoints}/introspect", "POST", form=form, client=API)
    assert (refused.status, refused.json()["errorCode"]) == (400, "invalid_client")
    assert list(told.json())[:3] == ["active", "scope", "username"]
    assert told.json()["username"] == "0oaservice0000000001"
