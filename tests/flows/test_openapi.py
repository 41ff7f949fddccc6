"""Schemathesis holds the service to its description: whatever it makes up is answered as described."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import docutils.core
import docutils.nodes
import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app, policy
from service.web.endpoints.okta_guide import ROUTES

README = Path(__file__).parents[2] / "README.rst"
EXAMPLES = 4
"""For each operation and phase."""
OPERATIONS = 15
ANY_METHOD = """
[[operations]]
include-path = "/auth"
phases.coverage.unexpected-methods = []
"""
"""A proxy may send any method to ``/auth``, which OpenAPI cannot express."""
BRIEFLY = ("--phases", "fuzzing")
"""Without the phase that tries each edge of each schema, which is the same whatever the token."""


class Notes(BearerAuthMixin, tornado.web.RequestHandler):
    """Notes by their numbers."""

    scopes: ClassVar = {"GET": "api:read", "PUT": "api:read api:write"}
    openapi: ClassVar = {
        "GET": {"parameters": [{"in": "query", "name": "words", "schema": {"type": "integer", "minimum": 0}}]},
        "PUT": {
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object", "required": ["text"]}}},
            },
            "responses": {"204": {"description": "It is kept."}, "400": {"description": "It is no note."}},
        },
    }

    def get(self, number: str) -> None:
        """Read one."""
        try:
            words = int(self.get_argument("words", "0"))
        except ValueError:
            words = -1
        if words < 0:
            raise tornado.web.HTTPError(400)
        self.write({"number": number})

    def put(self, _number: str) -> None:
        """Write one, which is forgotten."""
        try:
            note = json.loads(self.request.body)
        except ValueError:
            note = None
        if not isinstance(note, dict) or "text" not in note:
            raise tornado.web.HTTPError(400)
        self.set_status(204)

    @policy(groups="Admins")
    def delete(self, _number: str) -> None:
        """Remove one."""
        self.set_status(204)


def _things() -> list[Any]:
    """Return the routes that the README shows."""
    blocks = docutils.core.publish_doctree(README.read_text("utf-8")).findall(docutils.nodes.literal_block)
    (program,) = (block.astext() for block in blocks if block["names"] == ["things.py"])
    module: dict[str, Any] = {"__name__": "things"}
    exec(compile(program, "things.py", "exec"), module)  # noqa: S102  # the README's own words
    routes: list[Any] = module["ROUTES"]
    return routes


@pytest.fixture
def url(fake_issuer: RunningIssuer, io_loop: IOLoop, listen: Callable[[ResourceServerApplication], str]) -> str:
    routes = [*ROUTES, *_things(), (r"/notes/([0-9]{1,9})", Notes)]
    return listen(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True), routes=routes))


async def _exact(url: str, folder: Path) -> Path:
    """Return the description without what would allow any answer at all."""
    document = json.loads((await AsyncHTTPClient().fetch(f"{url}/openapi.json")).body)
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                del operation["responses"]["default"]
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


async def _examine(url: str, folder: Path, *arguments: str) -> None:
    """Have a running service examined, in an empty folder so that no file of ours configures it."""
    document = await _exact(url, folder)
    with (folder / "schemathesis.toml").open("a", encoding="utf-8") as file:
        file.write(ANY_METHOD)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", url, *arguments),
        *("--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none", "--no-color"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert 0 == process.returncode, output.decode()
    assert f"Tested: {OPERATIONS}" in output.decode(), output.decode()


@pytest.mark.gen_test(timeout=60)
async def test_the_api_conforms_with_all_scopes(fake_issuer: RunningIssuer, url: str, tmp_path: Path) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="api:read api:write", claims={"groups": ["Admins"]})
    await _examine(url, tmp_path, "--checks", "all", "-H", f"Authorization: Bearer {token}")


@pytest.mark.gen_test(timeout=60)
async def test_the_api_conforms_with_few_scopes(fake_issuer: RunningIssuer, url: str, tmp_path: Path) -> None:
    header = f"Authorization: Bearer {fake_issuer.token(scp='email')}"
    await _examine(url, tmp_path, "--checks", "all", "-H", header, *BRIEFLY)


@pytest.mark.gen_test(timeout=60)
async def test_the_api_conforms_without_a_token(url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text("[generation]\nwith-security-parameters = false\n")
    await _examine(url, tmp_path, "--checks", "all", *BRIEFLY)


@pytest.mark.gen_test(timeout=60)
async def test_the_api_conforms_while_the_issuer_is_down(fake_issuer: RunningIssuer, url: str, tmp_path: Path) -> None:
    fake_issuer.fail("discovery", status=500)
    checks = "status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
    await _examine(url, tmp_path, "--checks", checks, "-H", f"Authorization: Bearer {fake_issuer.token()}", *BRIEFLY)
