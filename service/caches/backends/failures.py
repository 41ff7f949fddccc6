"""Names the cause of a failed call to the shared cache, and what to do about it.

The message of a server or a library may contain a key, an address or a password, so only fixed texts leave this module.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_ACL = "ACL SETUSER name on >password ~resource-server:* +get +mget +set +mset +del +select"
_Test = Callable[[BaseException], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheFailure:
    """A cause of failed calls.

    Args:
        cause: What is wrong with the server or the connection to it.
        advice: What the operator can do.
        lasts: Whether it lasts until an operator does something, unlike an outage.
    """

    cause: str
    advice: str
    lasts: bool = True


def explain_failure(error: BaseException, *, is_encrypted: bool = False) -> CacheFailure:
    """Return the cause of an error that a backend has raised.

    Args:
        is_encrypted: Whether the connection uses TLS.
    """
    chain = list(_chain(error))
    for tests, failure in _RULES:
        if any(test(link) for test in tests for link in chain):
            return failure
    if any(isinstance(link, TimeoutError) or _named("TimeoutError")(link) for link in chain):
        return _TLS_TIMEOUT if is_encrypted else _TIMEOUT
    if any(isinstance(link, ConnectionError) or _named("ConnectionError")(link) for link in chain):
        return _TLS_CLOSED if is_encrypted else _CLOSED
    return CacheFailure(cause=f"it fails with {type(error).__name__}", advice="see the log of the server")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that have caused it; a library wraps the error of the operating system."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _named(*names: str) -> _Test:
    """Return a test for the name of a class; the library need not be installed."""
    return lambda error: any(kind.__name__ in names for kind in type(error).__mro__)


def _says(text: str) -> _Test:
    return lambda error: text in str(error)


def _is(kind: type[BaseException], text: str = "") -> _Test:
    return lambda error: isinstance(error, kind) and text.lower() in str(error).lower()


def _no_primary(*names: str) -> _Test:
    """Return a test for the error of redis-py about all Sentinels, which quotes the names of their errors."""
    return lambda error: (
        type(error).__name__ == "MasterNotFoundError"
        and any(name in str(error).replace("MasterNotFoundError", "") for name in names)
    )


_CLIENT_CERTIFICATE = "add ?ssl_certfile=PATH&ssl_keyfile=PATH to cache_url, or set tls-auth-clients no in the server"
_LIMITS = "see its log, its maxclients and its address rules"
_TIMEOUT = CacheFailure(
    cause="it does not respond in time", advice="is it up and reachable from here, and not overloaded?", lasts=False
)
_TLS_TIMEOUT = CacheFailure(
    cause="it does not respond in time",
    advice="is it up, and does it speak TLS at this port? Without TLS, use redis:// instead of rediss://",
    lasts=False,
)
_CLOSED = CacheFailure(
    cause="it closes the connection", advice=f"use rediss:// if this port is for TLS; otherwise {_LIMITS}", lasts=False
)
_TLS_CLOSED = CacheFailure(
    cause="it closes the connection",
    advice=f"if it requires client certificates, {_CLIENT_CERTIFICATE}; otherwise {_LIMITS}",
    lasts=False,
)

_RULES: Sequence[tuple[Sequence[_Test], CacheFailure]] = (
    (
        (_is(ssl.SSLCertVerificationError),),
        CacheFailure(
            cause="its certificate is not trusted, or is for another host name",
            advice="set ca_file, or ssl_ca_certs in cache_url, to the CA of the server, and use a name of its "
            "certificate",
        ),
    ),
    (
        (_is(ssl.SSLError, "certificate required"), _is(ssl.SSLError, "certificate_required")),
        CacheFailure(cause="it requires a client certificate", advice=_CLIENT_CERTIFICATE),
    ),
    (
        (_is(ssl.SSLError),),
        CacheFailure(
            cause="the TLS handshake fails",
            advice="use redis:// if the server does not speak TLS at this port; it needs TLS 1.2 or later",
        ),
    ),
    (
        (_is(socket.gaierror),),
        CacheFailure(cause="its host name does not resolve", advice="is the name in cache_url right, and the DNS?"),
    ),
    (
        (_no_primary("AuthenticationError"),),
        CacheFailure(
            cause="the Sentinels reject the login",
            advice="set sentinel_password in cache_url, and sentinel_username if they have users",
        ),
    ),
    (
        (_no_primary("ConnectionError", "TimeoutError"),),
        CacheFailure(
            cause="no Sentinel names the primary, and some do not respond",
            advice="are their addresses in cache_url right, and are they up?",
            lasts=False,
        ),
    ),
    (
        (_no_primary(""),),
        CacheFailure(
            cause="the Sentinels know no primary with that name, or it is down",
            advice="write the name of sentinel monitor behind the addresses in cache_url",
        ),
    ),
    (
        (_is(ConnectionRefusedError), _says("Connect call failed")),
        CacheFailure(
            cause="nothing listens at its address",
            advice="is the port in cache_url right, and the server up?",
            lasts=False,
        ),
    ),
    (
        (_says("without any password configured"),),
        CacheFailure(
            cause="it has no password, and cache_url has one",
            advice="remove it there, or set requirepass in the server",
        ),
    ),
    (
        (_says("Authentication required"), _says("NOAUTH")),
        CacheFailure(
            cause="it requires a password",
            advice="write it into cache_url, before the host and behind a colon, with an @ behind it",
        ),
    ),
    (
        (_named("AuthenticationError"),),
        CacheFailure(
            cause="it rejects the user name or the password",
            advice="correct them in cache_url, percent-encoded, and see ACL LIST of the server",
        ),
    ),
    (
        (_named("NoPermissionError"),),
        CacheFailure(cause="the user lacks a permission", advice=f"grant the commands and the keys: {_ACL}"),
    ),
    (
        (_named("ReadOnlyError"), _says("previous master is now a slave")),
        CacheFailure(
            cause="it is a read-only replica",
            advice="name the primary in cache_url, or the Sentinels as redis+sentinel://; after a failover of a name, "
            "the service connects anew by itself",
            lasts=False,
        ),
    ),
    (
        (_named("OutOfMemoryError"),),
        CacheFailure(
            cause="its memory is full, and it evicts nothing",
            advice="raise maxmemory, or set maxmemory-policy to volatile-ttl, which keeps the deny list",
        ),
    ),
    (
        (_says("DB index is out of range"), _says("invalid DB index"), _says("Invalid Database")),
        CacheFailure(
            cause="it has no database with that number",
            advice="use /0 in cache_url, or raise databases in the server",
        ),
    ),
    (
        (_says("Cluster mode is not enabled"), _says("cluster support disabled")),
        CacheFailure(cause="it is not part of a cluster", advice="use redis:// instead of redis+cluster://"),
    ),
    (
        (_named("ClusterDownError"), _says("slots are not covered")),
        CacheFailure(
            cause="the cluster is down, since it lacks the nodes for some keys",
            advice="see redis-cli --cluster check",
            lasts=False,
        ),
    ),
    (
        (_named("MovedError", "AskError", "ClusterCrossSlotError"),),
        CacheFailure(cause="it is a node of a cluster", advice="use redis+cluster:// instead of redis://"),
    ),
    (
        (_says("unknown command 'SENTINEL'"),),
        CacheFailure(cause="it is no Sentinel", advice="use redis:// for a server, or the port of the Sentinels"),
    ),
    (
        (_says("unknown command"),),
        CacheFailure(
            cause="it does not know a command that the service needs",
            advice="is it a Sentinel? Then use redis+sentinel://host:26379/name",
        ),
    ),
    (
        (_says("MISCONF"),),
        CacheFailure(
            cause="it rejects writes, since it cannot save its data to the disk",
            advice="see its log, and free space on its disk",
        ),
    ),
    (
        (_says("NOREPLICAS"),),
        CacheFailure(
            cause="it rejects writes, since it has too few replicas", advice="see min-replicas-to-write", lasts=False
        ),
    ),
    (
        (_says("protected mode"),),
        CacheFailure(
            cause="it is in protected mode and accepts local connections only",
            advice="set a password in the server, or bind it to the address of a private network",
        ),
    ),
    (
        (_named("BusyLoadingError", "MasterDownError"),),
        CacheFailure(cause="it is loading its data", advice="wait until it is ready", lasts=False),
    ),
    (
        (_named("InvalidResponse"),),
        CacheFailure(cause="it speaks another protocol", advice="are the port and the scheme of cache_url right?"),
    ),
)
"""In the order of precedence, since one error may meet several tests."""
