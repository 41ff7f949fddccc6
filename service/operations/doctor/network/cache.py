"""Checks the connection to the shared cache, and names the cause of a failure."""

from __future__ import annotations

from service.caches.backends.failures import explain_failure
from service.caches.shared import open_cache
from service.clock import Clock
from service.errors import SettingsError
from service.issuers.cache_key import derive_cache_key
from service.operations.doctor.report import Finding, fail, ok, warn
from service.settings.program import Settings

_ABOUT = "shared cache"


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
    cache = open_cache(url, clock=clock, key=key, ca_file=settings.ca_file)
    try:
        if cache.is_local:
            return ok(_ABOUT, "memory://, so each process has a cache of its own")
        error = await cache.find_failure()
    finally:
        await cache.close()
    scheme = url.partition("://")[0]
    if error is None:
        found = f"{scheme}, it is available; its key has the ID {cache.key_id}"
        return ok(_ABOUT, f"{found}, which is the same on every machine that shares it")
    failure = explain_failure(error, is_encrypted=scheme.startswith("rediss"))
    report = fail if failure.lasts else warn
    return report(_ABOUT, f"{scheme}, {failure.cause}; the service continues without it", failure.advice)
