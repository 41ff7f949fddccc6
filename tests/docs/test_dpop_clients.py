"""Tests that the clients of the page on DPoP get bound tokens and call the API, with the nonces of both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import docutils.core
import docutils.nodes
import pytest
from programs import Start, listening

from fakeissuer import RunningIssuer
from fakeissuer.jose.raw_jws import decode_base64url
from fakeissuer.model.records import read_members
from fakeissuer.oauth.dpop import jwk_thumbprint

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "tests/clients/node/node_modules"
needs_node = pytest.mark.skipif(
    which("node") is None or not NODE_MODULES.is_dir(),
    reason="node is not there, or its clients are not: npm install --prefix tests/clients/node",
)
Run = Callable[..., str]


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The code of the page by its name."""
    text = (ROOT / "docs/how-to/dpop-clients.rst").read_text("utf-8")
    page = docutils.core.publish_doctree(text, settings_overrides={"report_level": 5})
    return {name: node.astext() for node in page.findall(docutils.nodes.literal_block) for name in node["names"]}


@pytest.fixture
def call(
    blocks: dict[str, str], fake_issuer: RunningIssuer, start: Start, environment: dict[str, str], tmp_path: Path
) -> Iterator[Run]:
    """Return a function that runs a block of the page; at the end, both nonces must have been exchanged."""
    for name, code in blocks.items():
        (tmp_path / name).write_text(code)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    service = start("service", "--port", "0", OKTA_OAUTH2_ISSUER=fake_issuer.issuer_url(), SERVICE_DPOP_NONCE="true")
    environment |= {
        "ISSUER": fake_issuer.issuer_url(),
        "API": listening(service),
        "CLIENT_ID": "0oaservice0000000001",
        "CLIENT_SECRET": "service-secret-for-tests-only-0000001",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    yield run
    assert [400, 200] == [request.status for request in fake_issuer.requests("token").requests]
    service.terminate()
    log = service.communicate()[1]
    assert ["401", "200"] == re.findall(r"GET /api/whoami (\d{3})", log)
    assert 1 == log.count("reason=proof_nonce")


def test_curl_calls_the_api(call: Run) -> None:
    claims = json.loads(call("./call-api"))
    assert {"jkt"} == claims["cnf"].keys()
    assert "0oaservice0000000001" == claims["cid"]


def test_requests_oauth2client_calls_the_api(call: Run) -> None:
    assert "{'jkt': '" == call(sys.executable, "call_api.py")[:9]


def test_explain_accepts_a_proof_of_the_script(
    blocks: dict[str, str], fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "dpop-proof").write_text(blocks["dpop-proof"])
    url, environment = "https://api.example.com/orders", environment | {"OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url()}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout.strip()

    header = run("bash", "dpop-proof", "GET", url).partition(".")[0]
    token = fake_issuer.token(dpop_jkt=jwk_thumbprint(read_members(decode_base64url(header))["jwk"]))
    proof = run("bash", "dpop-proof", "GET", f"{url}?all=1", "", token)
    explained = run(sys.executable, "-m", "service", "explain", token, "--dpop", proof, "--method", "GET", "--url", url)
    assert "its typ is dpop+jwt" in explained


@needs_node
@pytest.mark.parametrize("script", ["openid-client.mjs", "oauth4webapi.mjs"])
def test_a_client_from_npm_calls_the_api(script: str, call: Run) -> None:
    assert {"jkt"} == json.loads(call("node", script)).keys()
