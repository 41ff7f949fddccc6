from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from fakeissuer.handle import Handle

Ask = Callable[..., Any]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_a_console_and_a_program_json(fake_issuer: Handle, ask: Ask) -> None:
    page = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert fake_issuer.issuer_url("partner").encode() in page.body
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert ask(f"{fake_issuer.url}/_fake/", headers=headers).json()["servers"]


def test_the_console_runs_its_own_script_and_nothing_else(fake_issuer: Handle, ask: Ask) -> None:
    fake_issuer.put("users", '"><script>alert(1)</script>')
    fake_issuer.put("servers", "default", audience="<img src=x onerror=alert(1)>")
    page = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER)
    policy = page.headers["Content-Security-Policy"]
    nonces = re.findall(r"<script([^>]*)>", page.body.decode())
    assert len(nonces) == 1
    assert f"script-src 'nonce-{nonces[0].split(chr(34))[1]}'" in policy
    assert b"<img" not in page.body
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(rb'(src|href)="', page.body)


def test_the_console_holds_no_secret(fake_issuer: Handle, ask: Ask) -> None:
    body = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER).body
    assert b"web-secret" not in body


def test_another_origin_does_not_get_the_console(fake_issuer: Handle, ask: Ask) -> None:
    headers = {**BROWSER, "Origin": "https://evil.test"}
    assert ask(f"{fake_issuer.url}/_fake/", headers=headers).status == 403


@pytest.mark.skipif(which("node") is None, reason="node, which reads the script of the console, is not installed")
def test_the_script_of_the_console_can_be_read(fake_issuer: Handle, ask: Ask, tmp_path: Path) -> None:
    page = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER).body.decode()
    script = re.search(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    file = tmp_path / "console.js"
    file.write_text(script[1])
    got = subprocess.run([str(which("node")), "--check", str(file)], capture_output=True, text=True, check=False)
    assert got.returncode == 0, got.stderr
