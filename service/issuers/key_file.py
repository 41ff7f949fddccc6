"""Reads the key set of an issuer from a file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from service.errors import IssuerUnavailable
from service.issuers.refreshing import RefreshPolicy
from service.settings.files import read_keys_file
from service.tokens import encoding

_AGE = 2.0
"""Seconds between two looks at the file; a key that is removed from it is accepted for that long."""
_READ_TIMEOUT = 5.0
"""Seconds; a network file system can block a reader for ever."""


def key_file_policy(policy: RefreshPolicy) -> RefreshPolicy:
    """Return the policy for a file: read again soon, also after a failure, since reading costs little."""
    return replace(policy, default_age=_AGE, min_age=_AGE, max_age_limit=_AGE, max_backoff=_AGE, extra_every=1.0)


async def read_key_file(path: str) -> dict[str, Any]:
    """Return the JWK Set in a file, which is read in a thread.

    Raises:
        IssuerUnavailable: It cannot be read, or is not a JSON object.
    """
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            content = await asyncio.to_thread(read_keys_file, path)
        return encoding.decode_document(content)
    except TimeoutError:
        raise IssuerUnavailable(f"{path}: not read within {_READ_TIMEOUT:.0f} s") from None
    except ValueError as exc:
        raise IssuerUnavailable(f"{path}: {exc}") from None
