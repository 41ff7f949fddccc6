"""What the environment says: secrets, which do not belong on a command line that every user of the machine can see."""

from __future__ import annotations

import os

CONTROL_TOKEN_VARIABLE = "FAKEISSUER_CONTROL_TOKEN"  # noqa: S105  # the name of a variable


def control_token() -> str | None:
    """Return the token that protects the control plane, None if it is not protected by one."""
    return os.environ.get(CONTROL_TOKEN_VARIABLE) or None
