from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seeded_clients import API

from fakeissuer.server.in_process import running

Ask = Callable[..., Any]

SWITCHED = """
[variants]
unknown_client_status = 400
introspection_names_client_as_user = true
decodes_basic = false
"""


def test_variants_switch_behaviours_that_differ_between_accounts(tmp_path: Path, ask: Ask) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text(SWITCHED)
    with running(config_file=file) as issuer:
        endpoints = f"{issuer.issuer_url()}/v1"
        refused = ask(f"{endpoints}/token", "POST", form={"grant_type": "client_credentials"}, client="unknown:x")
        form = {"token": issuer.token()}
        encoded = ask(f"{endpoints}/introspect", "POST", form=form, client=API.replace("-", "%2D"))
        introspected = ask(f"{endpoints}/introspect", "POST", form=form, client=API)
    assert (refused.status, refused.json()["errorCode"]) == (400, "invalid_client")
    assert list(introspected.json())[:3] == ["active", "scope", "username"]
    assert introspected.json()["username"] == "0oaservice0000000001"
    assert encoded.status == 401
