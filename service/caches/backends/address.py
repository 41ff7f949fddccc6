"""Parses ``cache_url``: the kind of cache, its addresses, and how to connect to them.

No error repeats a part of the URL that may belong to a password.
"""

from __future__ import annotations

import re
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.errors import SettingsError

_EXPECTED = (
    "expected memory://, redis[s]://host:6379/0, redis[s]+sentinel://host:26379,host:26379/name/0, "
    "redis[s]+cluster://host:6379,host:6379 or memcached://host:11211, with its password percent-encoded"
)
_SCHEMES = {
    "memory": ("memory", 0),
    "memcached": ("memcached", 11211),
    "redis": ("redis", 6379),
    "redis+sentinel": ("sentinel", 26379),
    "redis+cluster": ("cluster", 6379),
}
"""The kind and the default port of each scheme without TLS."""
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SENTINEL_LOGIN = ("sentinel_username", "sentinel_password")
_REASONS = {
    "username": "write the user, a colon and the password before the host, with an @ behind them",
    "password": "write it behind a colon and before the host, percent-encoded and with an @ behind it",
    "ssl_cert_reqs": "the certificate of the server is always verified",
    "ssl_check_hostname": "the host name of the server is always verified",
    "socket_timeout": "the service has time limits of its own",
    "socket_connect_timeout": "the service has time limits of its own",
    "timeout": "the service has time limits of its own",
    "retry_on_timeout": "the service never waits for a second attempt",
    "max_connections": "the service limits them itself",
    "health_check_interval": "the service notices lost connections itself",
    "decode_responses": "the service decodes values itself",
    "encoding": "the service decodes values itself",
    "protocol": "the service uses RESP2, which every version has",
}
"""Parameters of other programs' URLs, and why they are rejected; any other name may be the end of a password."""
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?", re.ASCII)
_DATABASE = re.compile("[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheAddress:
    """Where the shared cache is.

    Args:
        kind: ``memory``, ``memcached``, ``redis``, ``sentinel`` or ``cluster``.
        hosts: The hosts and ports; those of the Sentinels, or of some nodes of a cluster.
        is_encrypted: Whether the connections use TLS.
        primary: The name under which the Sentinels know the primary.
        tls_files: The paths ``ssl_ca_certs``, ``ssl_certfile`` and ``ssl_keyfile``, as far as they are set.
        sentinel_login: User name and password for the Sentinels.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...] = ()
    is_encrypted: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    primary: str = ""
    tls_files: Mapping[str, str] = field(default_factory=dict)
    sentinel_login: tuple[str | None, str | None] = field(default=(None, None), repr=False)


def parse_cache_url(url: str, *, ca_file: str | None = None) -> CacheAddress:
    """Return the address in a URL.

    Args:
        url: ``memory://``, ``memcached://host[:port]``, ``redis://[user:password@]host[:port][/database]``,
            ``redis+sentinel://[user:password@]host[:port][,…]/primary[/database]``, or
            ``redis+cluster://[user:password@]host[:port][,…]``; ``rediss`` instead of ``redis`` for TLS. The query may
            have ``db``, with TLS ``ssl_ca_certs``, ``ssl_certfile`` and ``ssl_keyfile``, and for the Sentinels
            ``sentinel_username`` and ``sentinel_password``.
        ca_file: Path of the CA certificates to trust instead of the system's, unless the URL has its own.

    Raises:
        SettingsError: The URL has another form, or a part without effect.
    """
    try:
        return _parse(url, ca_file)
    except ValueError as exc:
        # The message of a library may repeat a part of the URL.
        problem = str(exc) if type(exc) is _BadURLError else f"is not a URL; {_EXPECTED}"
        raise SettingsError([f"cache_url: {problem}"]) from None


class _BadURLError(ValueError):
    """A problem whose text repeats nothing secret."""


def _parse(url: str, ca_file: str | None) -> CacheAddress:
    parts = urllib.parse.urlsplit(url)
    plain = "redis" + parts.scheme[6:] if parts.scheme.startswith("rediss") else parts.scheme
    if plain not in _SCHEMES or parts.fragment:  # a fragment may be the end of a password
        raise _BadURLError(f"was {parts.scheme}://…; {_EXPECTED}")
    kind, port = _SCHEMES[plain]
    is_encrypted = plain != parts.scheme
    query = _parse_query(parts.query, kind=kind, is_encrypted=is_encrypted)
    if kind == "memory":
        if parts.netloc or parts.path:
            raise _BadURLError("was memory:// with an address, but it is the memory of each process; write memory://")
        return CacheAddress(kind=kind)
    login, _, addresses = parts.netloc.rpartition("@")
    username, password = _parse_login(login)
    hosts = _parse_hosts(addresses, port)
    primary, database = _parse_path(parts.path, query.get("db"), kind)
    if len(hosts) > 1 and kind in {"redis", "memcached"}:
        raise _BadURLError(
            f"has several addresses, and {parts.scheme}:// takes one; use redis+sentinel:// or redis+cluster://"
        )
    if kind == "memcached" and (login or database):
        raise _BadURLError("was memcached:// with a user, a password or a database, and memcached has none of them")
    if kind == "cluster" and database:
        raise _BadURLError("names a database, and a Redis Cluster has database 0 only; leave it out")
    files = {name: query[name] for name in _TLS_FILES if name in query}
    if is_encrypted and ca_file is not None:
        files = {"ssl_ca_certs": ca_file, **files}
    _check_tls_files(files)
    return CacheAddress(
        kind=kind,
        hosts=hosts,
        is_encrypted=is_encrypted,
        username=username,
        password=password,
        database=database,
        primary=primary,
        tls_files=files,
        sentinel_login=(query.get("sentinel_username"), query.get("sentinel_password")),
    )


def _parse_query(text: str, *, kind: str, is_encrypted: bool) -> dict[str, str]:
    accepted = ["db"] * (kind in {"redis", "sentinel", "cluster"}) + [*_TLS_FILES] * is_encrypted
    accepted += [*_SENTINEL_LOGIN] * (kind == "sentinel")
    query: dict[str, str] = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        if name in accepted and value and name not in query:
            query[name] = value
        elif name in {"db", *_TLS_FILES, *_SENTINEL_LOGIN}:
            place = "is there twice or is empty" if name in accepted else "has no effect with this scheme"
            raise _BadURLError(f"its parameter {name} {place}; remove it")
        elif name in _REASONS:
            raise _BadURLError(f"its parameter {name} is not supported: {_REASONS[name]}")
        else:
            known = " and ".join([", ".join(accepted[:-1]), accepted[-1]]).removeprefix(" and ") if accepted else "none"
            raise _BadURLError(
                f"has a parameter that is unknown, or a password with a question mark; a password must be "
                f"percent-encoded, and the parameters of this scheme are: {known}"
            )
    if "sentinel_username" in query and "sentinel_password" not in query:
        raise _BadURLError("has sentinel_username without sentinel_password; set both, or the password alone")
    if "ssl_keyfile" in query and "ssl_certfile" not in query:
        raise _BadURLError("has ssl_keyfile without ssl_certfile, the certificate of that key")
    return query


def _parse_login(login: str) -> tuple[str | None, str | None]:
    username, _, password = login.partition(":")
    if username and not password:
        raise _BadURLError("has a user name without a password; write a colon before the password of the default user")
    return urllib.parse.unquote(username) or None, urllib.parse.unquote(password) or None


def _parse_hosts(text: str, default_port: int) -> tuple[tuple[str, int], ...]:
    if not text:
        return (("127.0.0.1", default_port),)
    hosts = []
    for address in text.split(","):
        match = _HOST.fullmatch(address)
        if match is None:
            raise ValueError("not an address")
        port = int(match[3] or default_port)
        if not 0 < port < 2**16:
            raise ValueError("not a port")
        hosts.append((match[1] or match[2], port))
    return tuple(hosts)


def _parse_path(path: str, in_query: str | None, kind: str) -> tuple[str, int]:
    """Return the name of the primary, which only Sentinels need, and the number of the database."""
    primary, text = "", path.strip("/")
    if kind == "sentinel":
        primary, _, text = text.partition("/")
        if not primary:
            raise _BadURLError(
                "lacks the name under which the Sentinels know the primary: redis+sentinel://host:26379/mymaster/0"
            )
    texts = [each for each in (text, in_query) if each]
    numbers = {int(each) if _DATABASE.fullmatch(each) else -1 for each in texts} or {0}
    if len(numbers) > 1 or -1 in numbers:
        raise _BadURLError("names a database that is no number, or two databases; write its number as in /0")
    return urllib.parse.unquote(primary), numbers.pop()


def _check_tls_files(files: Mapping[str, str]) -> None:
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"))
        if "ssl_certfile" in files:
            context.load_cert_chain(files["ssl_certfile"], files.get("ssl_keyfile"), password="")
    except OSError as exc:  # ssl.SSLError is one
        names = ", ".join(files.values())
        reason = exc.strerror or "not a certificate in PEM with its key"
        raise _BadURLError(f"its files for TLS, {names}, cannot be used: {reason}") from None
