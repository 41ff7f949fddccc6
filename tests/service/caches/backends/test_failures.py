"""The causes that no server of tests/flows/test_redis.py can be brought to, and the order of the rules."""

from __future__ import annotations

import ssl

import pytest
from redis import exceptions

from service.caches.backends.failures import explain_failure

UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "it is loading its data"),
        (exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "save its data to the disk"),
        (exceptions.ResponseError("DENIED Redis is running in protected mode because"), "it is in protected mode"),
        (exceptions.MovedError("1 127.0.0.1:1"), "it is a node of a cluster"),
        (exceptions.ResponseError("invalid DB index"), "it has no database with that number"),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert"), "requires a client certificate"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "the TLS handshake fails"),
        (ConnectionResetError(104, "Connection reset by peer"), "it closes the connection"),
        (TimeoutError(), "it does not respond in time"),
        (exceptions.TimeoutError("Timeout reading from host"), "it does not respond in time"),
        (KeyError("secret"), "it fails with KeyError"),
    ],
)
def test_an_error_has_a_cause_and_advice(error: Exception, words: str) -> None:
    failure = explain_failure(error)
    assert words in failure.cause
    assert failure.advice
    assert "secret" not in failure.cause + failure.advice


def test_the_error_of_the_operating_system_precedes_that_of_the_library() -> None:
    error = exceptions.ConnectionError("Error 1 connecting to localhost:1")
    error.__context__ = UNTRUSTED
    UNTRUSTED.__context__ = error  # a chain may have a circle
    assert "its certificate is not trusted, or is for another host name" == explain_failure(error).cause


@pytest.mark.parametrize(
    ("error", "plain", "encrypted"),
    [
        (TimeoutError(), "not overloaded", "use redis:// instead of rediss://"),
        (ConnectionResetError(), "use rediss:// if", "if it requires client certificates"),
    ],
)
def test_the_advice_depends_on_tls(error: Exception, plain: str, encrypted: str) -> None:
    assert plain in explain_failure(error).advice
    assert encrypted in explain_failure(error, is_encrypted=True).advice
