"""Names the cause of a failed call to the shared cache, and what to do about it.

The message of a server or a library may contain a key, an address or a password, so only fixed texts leave this module.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.caches.backends.causes import CLOSED, RULES, TIMEOUT, TLS_CLOSED, TLS_TIMEOUT, CacheFailure, named


def explain_failure(error: BaseException, *, is_encrypted: bool = False) -> CacheFailure:
    """Return the cause of an error that a backend has raised.

    Args:
        is_encrypted: Whether the connection uses TLS.
    """
    chain = list(_chain(error))
    for tests, failure in RULES:
        if any(test(link) for test in tests for link in chain):
            return failure
    if any(isinstance(link, TimeoutError) or named("TimeoutError")(link) for link in chain):
        return TLS_TIMEOUT if is_encrypted else TIMEOUT
    if any(isinstance(link, ConnectionError) or named("ConnectionError")(link) for link in chain):
        return TLS_CLOSED if is_encrypted else CLOSED
    return CacheFailure(cause=f"it fails with {type(error).__name__}", advice="see the log of the server")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that have caused it; a library wraps the error of the operating system."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__
