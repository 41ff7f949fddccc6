"""Checks the connection to the shared cache, and names the cause of a failure."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from service.caches.authentication import ValueAuthenticator
from service.caches.backends.failures import explain_failure
from service.caches.backends.memory import MemoryBackend
from service.caches.backends.opening import open_backend
from service.clock import Clock
from service.errors import SettingsError
from service.issuers.cache_key import derive_cache_key
from service.operations.doctor.report import Finding, fail, ok, warn
from service.settings.program import Settings

TIMEOUT = 3.0
"""Seconds for all commands together."""
_ABOUT = "shared cache"
_KEYS = ("check:1", "check:2")
"""The keys of values that nothing reads."""


async def check_cache(settings: Settings, *, clock: Clock) -> Finding:
    """Return a finding about the shared cache; its URL may contain a password, so only the scheme is shown.

    An outage is a warning, since the service continues without the cache; what lasts until the settings or the server
    are changed is a failure.

    Raises:
        SettingsError: ``cache_url`` has a form that the service does not support.
    """
    url = settings.cache_url.get_secret_value()
    try:
        key = derive_cache_key(settings)
    except SettingsError as exc:
        return fail(_ABOUT, str(exc), "the service does not start until this is fixed")
    backend = open_backend(url, clock=clock, ca_file=settings.ca_file)
    if isinstance(backend, MemoryBackend):
        return ok(_ABOUT, "memory://, so each process has a cache of its own")
    error = await find_failure(backend)
    scheme = url.partition("://")[0]
    if error is None:
        found = f"{scheme}, it is available; its key has the ID {ValueAuthenticator(key).key_id}"
        return ok(_ABOUT, f"{found}, which is the same on every machine that shares it")
    failure = explain_failure(error, is_encrypted=scheme.startswith("rediss"))
    report = fail if failure.lasts else warn
    return report(_ABOUT, f"{scheme}, {failure.cause}; the service continues without it", failure.advice)


async def find_failure(backend: Any) -> Exception | None:
    """Send each command that the service needs, and return the error of the first one that fails; close the backend."""
    try:
        async with asyncio.timeout(TIMEOUT):
            await _send_every_command(backend)
    except Exception as exc:  # noqa: BLE001  # each backend has its own errors
        return exc
    finally:
        with contextlib.suppress(Exception):  # the connections are gone anyway
            async with asyncio.timeout(TIMEOUT):
                await backend.close()
    return None


async def _send_every_command(backend: Any) -> None:
    key, other = _KEYS
    await backend.delete(key)
    await backend.add(key, "1", ttl=1)
    await backend.set(key, "1", ttl=1)
    await backend.get(key)
    await backend.multi_set([(key, "1"), (other, "1")])
    await backend.multi_get([key, other])
    await backend.delete(key)
    await backend.delete(other)
