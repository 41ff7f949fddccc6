from __future__ import annotations

from typing import Any

import pytest
from certificates import Authority, Certificate

from service.caches.backends.address import CacheAddress, parse_cache_url
from service.errors import SettingsError


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Certificate:
    return authority.issue("client.example")


@pytest.mark.parametrize(
    ("url", "members"),
    [
        ("memory://", {"kind": "memory"}),
        ("redis://", {"kind": "redis", "hosts": (("127.0.0.1", 6379),)}),
        ("redis:///3", {"kind": "redis", "hosts": (("127.0.0.1", 6379),), "database": 3}),
        ("redis://cache.example", {"kind": "redis", "hosts": (("cache.example", 6379),)}),
        ("REDIS://[::1]:7000/15", {"kind": "redis", "hosts": (("::1", 7000),), "database": 15}),
        ("redis://h?db=2", {"kind": "redis", "hosts": (("h", 6379),), "database": 2}),
        ("redis://h/02?db=2", {"kind": "redis", "hosts": (("h", 6379),), "database": 2}),
        ("redis://:p@h", {"kind": "redis", "hosts": (("h", 6379),), "password": "p"}),
        (
            "redis://u%3A:p%40%2F%3F:x@h",
            {"kind": "redis", "hosts": (("h", 6379),), "username": "u:", "password": "p@/?:x"},
        ),
        ("rediss://h", {"kind": "redis", "hosts": (("h", 6379),), "is_encrypted": True}),
        ("memcached://h", {"kind": "memcached", "hosts": (("h", 11211),)}),
        ("memcached://h:1", {"kind": "memcached", "hosts": (("h", 1),)}),
        (
            "redis+cluster://:p@a,b:7001,[::1]",
            {"kind": "cluster", "hosts": (("a", 6379), ("b", 7001), ("::1", 6379)), "password": "p"},
        ),
        ("rediss+cluster://a/0", {"kind": "cluster", "hosts": (("a", 6379),), "is_encrypted": True}),
        ("redis+sentinel://a,b:1/my%2Fmain", {
            "kind": "sentinel", "hosts": (("a", 26379), ("b", 1)), "primary": "my/main",
        }),
        ("rediss+sentinel://u:p@a/main/4?sentinel_username=s&sentinel_password=%26", {
            "kind": "sentinel", "hosts": (("a", 26379),), "primary": "main", "database": 4, "is_encrypted": True,
            "username": "u", "password": "p", "sentinel_login": ("s", "&"),
        }),
        ("redis+sentinel://a/main?db=4&sentinel_password=s", {
            "kind": "sentinel", "hosts": (("a", 26379),), "primary": "main", "database": 4,
            "sentinel_login": (None, "s"),
        }),
    ],
)  # fmt: skip
def test_each_form_has_an_address(url: str, members: dict[str, Any]) -> None:
    address = parse_cache_url(url)
    assert CacheAddress(**members) == address
    assert "p@" not in repr(address)


def test_the_files_of_the_url_precede_the_setting(authority: Authority, client: Certificate) -> None:
    ca, files = str(authority.file), {"ssl_certfile": str(client.file), "ssl_keyfile": str(client.key_file)}
    query = "&".join(f"{name}={path}" for name, path in files.items())
    assert {} == parse_cache_url("redis://h", ca_file=ca).tls_files
    assert {"ssl_ca_certs": ca} == parse_cache_url("rediss://h", ca_file=ca).tls_files
    both = parse_cache_url(f"rediss://h?{query}&ssl_ca_certs={client.file}", ca_file=ca).tls_files
    assert {**files, "ssl_ca_certs": str(client.file)} == both


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "expected memory://"),
        ("unix:///run/redis.sock", "was unix://…; expected"),
        ("sentinel://h/secret", "was sentinel://…; expected"),
        ("redis://h#secret", "with its password percent-encoded"),
        ("redis://:se#cret@h", "with its password percent-encoded"),
        ("redis://:se/cret@h", "is not a URL"),
        ("redis://:se?cret@h/1", "a password with a question mark"),
        ("redis://h:port", "is not a URL"),
        ("redis://h:0", "is not a URL"),
        ("redis://h:65536", "is not a URL"),
        ("redis://h h", "is not a URL"),
        ("redis://[::1", "is not a URL"),
        ("redis://[secret]", "is not a URL"),
        ("memory://h", "write memory://"),
        ("memory://?db=1", "has no effect with this scheme"),
        ("redis://secret@h", "has a user name without a password"),
        ("redis://secret:@h", "has a user name without a password"),
        ("redis://h/secret", "names a database that is no number"),
        ("redis://h/-1", "names a database that is no number"),
        ("redis://h/1?db=2", "or two databases"),
        ("redis://h?db=1&db=2", "db is there twice or is empty"),
        ("redis://h?db=", "db is there twice or is empty"),
        ("redis://h?se%20cret", "a password with a question mark"),
        ("redis://h?unknown=secret", "the parameters of this scheme are: db"),
        ("rediss://h?unknown=secret", "are: db, ssl_ca_certs, ssl_certfile and ssl_keyfile"),
        ("memcached://h?unknown=secret", "the parameters of this scheme are: none"),
        ("redis://h?password=secret", "parameter password is not supported: write it behind a colon"),
        ("rediss://h?ssl_cert_reqs=none", "ssl_cert_reqs is not supported: the certificate of the server is always"),
        ("redis://h?ssl_ca_certs=/ca.pem", "ssl_ca_certs has no effect with this scheme"),
        ("redis://h?sentinel_password=secret", "sentinel_password has no effect with this scheme"),
        ("redis+sentinel://h/main?sentinel_username=secret", "sentinel_username without sentinel_password"),
        ("rediss://h?ssl_keyfile=/k", "has ssl_keyfile without ssl_certfile"),
        ("rediss://h?ssl_ca_certs=/no/such/file", "cannot be used: No such file"),
        (f"rediss://h?ssl_certfile={__file__}", "cannot be used: "),
        ("redis://a,b", "redis:// takes one; use redis+sentinel:// or redis+cluster://"),
        ("redis+cluster://a,,b", "is not a URL"),
        ("redis+cluster://a/1", "a Redis Cluster has database 0 only"),
        ("redis+cluster://a?db=1", "a Redis Cluster has database 0 only"),
        ("redis+sentinel://a", "lacks the name under which the Sentinels know the primary"),
        ("memcached://a,b", "memcached:// takes one"),
        ("memcached://u:secret@h", "memcached has none of them"),
        ("memcached://h/1", "memcached has none of them"),
    ],
)
def test_a_part_without_effect_is_rejected_and_no_password_is_repeated(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match="cache_url: ") as exc_info:
        parse_cache_url(url)
    assert words in str(exc_info.value)
    assert "cret" not in str(exc_info.value)
