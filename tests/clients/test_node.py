"""Clients from npm, unmodified, against the fake issuer."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from jwcrypto.jwk import JWK

from fakeissuer.server.in_process import running

FOLDER = Path(__file__).parent / "node"
NODE = which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules").is_dir(),
    reason="node is not there, or its clients are not: npm install --prefix tests/clients/node",
)


def run(script: str, *arguments: str, **environment: str) -> Any:
    got = subprocess.run(
        [str(NODE), str(FOLDER / script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **environment},
    )
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout)


def test_openid_client_completes_the_code_and_device_flows() -> None:
    with running(auto_login="alice@example.com") as issuer:
        got = run("openid_client.mjs", issuer.issuer_url())
    assert got == {"email": "alice@example.com", "active": [True, False], "same": True}


def test_openid_client_pushes_its_request_under_the_strict_profile() -> None:
    with running(profile="strict-rfc", auto_login="alice@example.com") as issuer:
        got = run("par.mjs", issuer.issuer_url())
    assert got == {"pushed": True, "email": "alice@example.com"}


def test_openid_client_rejects_oktas_200_for_a_pushed_request() -> None:
    with running(auto_login="alice@example.com") as issuer:
        got = run("par.mjs", issuer.issuer_url())
    assert got == {"rejected": "OAUTH_RESPONSE_IS_NOT_CONFORM", "status": 200}


def test_oauth4webapi_authenticates_with_an_assertion() -> None:
    key = JWK.generate(kty="EC", crv="P-256", kid="mine")
    with running() as issuer:
        issuer.put(
            "clients",
            "app",
            name="app",
            jwks={"keys": [key.export_public(as_dict=True)]},
            auth_methods=["private_key_jwt"],
            grant_types=["client_credentials"],
        )
        got = run("oauth4webapi.mjs", issuer.issuer_url(), "app", key.export_private())
    assert got == {"scope": "api:read", "token_type": "bearer"}


def test_oktas_verifier_accepts_good_and_rejects_bad_tokens(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    with running(tls=True, ca_file=file) as issuer:
        tokens = [issuer.token(sub="alice@example.com"), issuer.token(key="unpublished"), issuer.token(expires_in=-1)]
        got = run("okta_jwt_verifier.mjs", issuer.issuer_url(), *tokens, NODE_EXTRA_CA_CERTS=str(file))
    assert got == ["alice@example.com", "rejected", "rejected"]
