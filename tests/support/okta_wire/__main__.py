"""Writes docs/reference/okta-on-the-wire.rst anew: ``PYTHONPATH=tests/support python -m okta_wire``."""

from __future__ import annotations

from fakeissuer import running
from okta_wire.page import FILE, rendered

if __name__ == "__main__":
    with running() as issuer:
        FILE.write_text(rendered(issuer), "utf-8")
