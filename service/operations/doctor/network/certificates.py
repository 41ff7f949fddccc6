"""Fetches the certificates of a server, trusted or not, in the way in which the service connects to it."""

from __future__ import annotations

from typing import NamedTuple, cast

import pycurl
from cryptography import x509

from service.errors import IssuerUnavailable
from service.issuers.transport.certificates import TrustedCertificates
from service.issuers.transport.proxies import configure_proxy
from service.urls import Proxy

_TIMEOUT = 5
"""Seconds."""
_NOT_TRUSTED = frozenset({pycurl.E_SSL_CACERT, pycurl.E_SSL_PEER_CERTIFICATE})


class Chain(NamedTuple):
    """The certificates that a server sends, its own first, and why they are not trusted; empty if they are."""

    chain: list[x509.Certificate]
    problem: str


def fetch_chain(url: str, *, proxy: Proxy | None, trusted: TrustedCertificates) -> Chain:
    """Return the certificates; nothing but the handshake is sent.

    Raises:
        IssuerUnavailable: There is no connection, or the server does not serve TLS.
    """
    try:
        return Chain(_connect(url, proxy=proxy, trusted=trusted, verify=True), "")
    except pycurl.error as exc:
        code, message = _read(exc)
        if code not in _NOT_TRUSTED:
            raise IssuerUnavailable(message) from None
    try:
        return Chain(_connect(url, proxy=proxy, trusted=trusted, verify=False), message)
    except pycurl.error as exc:
        raise IssuerUnavailable(_read(exc)[1]) from None


def _read(error: pycurl.error) -> tuple[int, str]:
    code, message = cast(tuple[int, str], error.args)  # the stubs have no arguments
    return code, message


def _connect(url: str, *, proxy: Proxy | None, trusted: TrustedCertificates, verify: bool) -> list[x509.Certificate]:
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.CONNECT_ONLY, 1)
        curl.setopt(pycurl.OPT_CERTINFO, 1)
        curl.setopt(pycurl.TIMEOUT, _TIMEOUT)
        curl.setopt(pycurl.NOSIGNAL, 1)
        # Unverified only to show what is wrong with the certificates; nothing is sent or read on that connection.
        curl.setopt(pycurl.SSL_VERIFYPEER, int(verify))
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if verify else 0)
        if trusted.file is not None:
            curl.setopt(pycurl.CAINFO, trusted.file)
        if trusted.folder is not None:
            curl.setopt(pycurl.CAPATH, trusted.folder)
        configure_proxy(curl, proxy, ca_file=trusted.file)
        curl.perform()
        found = curl.getinfo(pycurl.INFO_CERTINFO)
        texts = [dict(fields).get("Cert", "") for fields in found]
        return [x509.load_pem_x509_certificate(text.encode()) for text in texts if text]
    finally:
        curl.close()
