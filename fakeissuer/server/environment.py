"""Secrets from the environment, because all users of a machine can read a command line."""

from __future__ import annotations

import os

CONTROL_TOKEN_VARIABLE = "FAKEISSUER_CONTROL_TOKEN"  # noqa: S105  # the name of a variable


def control_token() -> str | None:
    """Return the token that protects the control plane, or None if there is none."""
    return os.environ.get(CONTROL_TOKEN_VARIABLE) or None
