from __future__ import annotations

import datetime as dt
import hashlib
import os
import pickle
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Authority, Certificate
from programs import Start, curl, first_match, free_port, listening
from supervised import workers_of

from service.errors import SettingsError
from service.operations.sockets import certificates, tls
from service.operations.sockets.tls import TLSFiles

OKTA = "https://dev-123456.okta.com/oauth2/default"


class Server:
    ssl_options: ssl.SSLContext | None = None


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "issued").mkdir()
    return Authority(tmp_path / "issued")


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> Certificate:
    """The files of the server, which have been there for a while."""
    own = Certificate(tmp_path / "server.pem", tmp_path / "server.key")
    _renew(own, authority.issue("127.0.0.1"))
    return own


def _renew(own: Certificate, issued: Certificate) -> None:
    shutil.copyfile(issued.file, own.file)
    shutil.copyfile(issued.key_file, own.key_file)


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> bytes | None:
    """Return the certificate that a client sees, without a network."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    own = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    peer = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (own, peer):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return own.getpeercert(binary_form=True)


def test_a_renewed_certificate_is_used_for_the_next_handshakes(files: Certificate, authority: Authority) -> None:
    loaded, server, client = TLSFiles(str(files.file), str(files.key_file)), Server(), authority.client_context()
    loaded.serve_with(server)
    first = files.der
    assert server.ssl_options is loaded.context
    assert first == _handshake(client, loaded.context)
    assert not loaded.reload_if_changed()
    _renew(files, authority.issue("127.0.0.1"))
    assert loaded.reload_if_changed()
    assert first != files.der == _handshake(client, loaded.context)
    assert server.ssl_options is loaded.context
    assert not loaded.reload_if_changed()


def _half(files: Certificate, other: Certificate) -> None:
    shutil.copyfile(other.file, files.file)


def _cut(files: Certificate, other: Certificate) -> None:
    files.file.write_text(other.pem[: len(other.pem) // 2])
    shutil.copyfile(other.key_file, files.key_file)


def _empty(files: Certificate, other: Certificate) -> None:
    files.file.write_text("")


def _missing(files: Certificate, other: Certificate) -> None:
    files.key_file.unlink()


def _folder(files: Certificate, other: Certificate) -> None:
    files.key_file.unlink()
    files.key_file.mkdir()


@pytest.mark.parametrize("spoil", [_half, _cut, _empty, _missing, _folder])
def test_an_unusable_pair_leaves_the_previous_one_and_is_logged_once(
    spoil: Callable[[Certificate, Certificate], None],
    files: Certificate,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    loaded, client, before = TLSFiles(str(files.file), str(files.key_file)), authority.client_context(), files.der
    spoil(files, authority.issue("127.0.0.1"))
    for _ in range(3):
        assert not loaded.reload_if_changed()
    assert before == _handshake(client, loaded.context)
    (record,) = caplog.records
    assert ("ERROR", "TLS certificate not reloaded, the previous one remains") == (record.levelname, record.message)
    if files.key_file.is_dir():
        files.key_file.rmdir()
    _renew(files, authority.issue("127.0.0.1"))
    assert loaded.reload_if_changed()
    assert before != files.der == _handshake(client, loaded.context)


def test_a_pair_that_is_restored_is_no_change(
    files: Certificate, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    loaded, content = TLSFiles(str(files.file), str(files.key_file)), files.file.read_bytes()
    for _ in range(2):
        files.file.write_text("")
        assert not loaded.reload_if_changed()
        files.file.write_bytes(content)
        assert not loaded.reload_if_changed()
    assert 2 == len(caplog.records)


def test_the_files_are_read_again_only_if_they_have_changed(
    files: Certificate, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_MIN_AGE", 0.0)
    loaded = TLSFiles(str(files.file), str(files.key_file))
    monkeypatch.setattr(tls, "read_file", lambda *_: pytest.fail("read"))
    assert not loaded.reload_if_changed()


def test_a_change_within_the_resolution_of_time_stamps_is_seen(files: Certificate, authority: Authority) -> None:
    loaded, status = TLSFiles(str(files.file), str(files.key_file)), files.file.stat()
    _renew(files, authority.issue("127.0.0.1"))
    for file in (files.file, files.key_file):
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert loaded.reload_if_changed()


def test_a_folder_that_is_replaced_as_kubernetes_does_is_seen(tmp_path: Path, authority: Authority) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        _renew(Certificate(tmp_path / name / "tls.crt", tmp_path / name / "tls.key"), authority.issue("127.0.0.1"))
    data = tmp_path / "..data"
    data.symlink_to("one")
    loaded = TLSFiles(str(data / "tls.crt"), str(data / "tls.key"))
    (tmp_path / "..data_tmp").symlink_to("two")
    (tmp_path / "..data_tmp").rename(data)
    assert loaded.reload_if_changed()


def test_the_authority_of_clients_is_reloaded(files: Certificate, authority: Authority, tmp_path: Path) -> None:
    ca_file = tmp_path / "clients.pem"
    (tmp_path / "others").mkdir()
    other = Authority(tmp_path / "others")
    shutil.copyfile(authority.file, ca_file)
    loaded, public, admin = TLSFiles(str(files.file), str(files.key_file), client_ca=str(ca_file)), Server(), Server()
    loaded.serve_with(public)
    loaded.serve_with(admin, client_certificates=False)
    own = authority.client_context(authority.issue("client"))
    new = authority.client_context(other.issue("client"))
    assert _handshake(own, loaded.context)
    with pytest.raises(ssl.SSLError):
        _handshake(new, loaded.context)
    shutil.copyfile(other.file, ca_file)
    assert loaded.reload_if_changed()
    assert _handshake(new, loaded.context)
    with pytest.raises(ssl.SSLError):
        _handshake(own, loaded.context)
    ca_file.write_text("no certificate")
    assert not loaded.reload_if_changed()
    assert _handshake(new, loaded.context)
    assert public.ssl_options is loaded.context
    assert public.ssl_options.verify_mode is ssl.CERT_OPTIONAL
    assert admin.ssl_options is not None
    assert admin.ssl_options.verify_mode is ssl.CERT_NONE


def test_a_worker_that_starts_during_a_renewal_serves_the_certificate_of_its_parent(
    files: Certificate, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client_ca = authority.file
    parent = TLSFiles(str(files.file), str(files.key_file), client_ca=str(client_ca))
    before, sent = files.der, pickle.dumps(parent)
    _half(files, authority.issue("127.0.0.1"))
    worker = pickle.loads(sent)  # noqa: S301  # as multiprocessing does
    assert before == _handshake(authority.client_context(), worker.context)
    assert ssl.CERT_OPTIONAL is worker.context.verify_mode
    assert not worker.reload_if_changed()
    assert before == _handshake(authority.client_context(), worker.context)
    assert 1 == len(caplog.records)
    _renew(files, authority.issue("127.0.0.1"))
    assert worker.reload_if_changed()
    assert before != files.der == _handshake(authority.client_context(), worker.context)


def test_a_system_without_files_in_memory_reads_those_on_disk(
    files: Certificate, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = pickle.dumps(TLSFiles(str(files.file), str(files.key_file)))
    monkeypatch.delattr(os, "memfd_create")
    worker = pickle.loads(sent)  # noqa: S301  # as above
    assert files.der == _handshake(authority.client_context(), worker.context)
    _half(files, authority.issue("127.0.0.1"))
    with pytest.raises(SettingsError, match="not a certificate and its private key"):
        pickle.loads(sent)  # noqa: S301  # as above


def test_the_days_left_are_those_of_the_certificate(files: Certificate, authority: Authority) -> None:
    now = dt.datetime.now(dt.UTC)
    _renew(files, authority.issue("127.0.0.1", not_after=now + dt.timedelta(days=30)))
    loaded = TLSFiles(str(files.file), str(files.key_file))
    assert loaded.not_after is not None
    assert loaded.days_left is not None
    assert abs(loaded.not_after - time.time() - 30 * 86400) < 60
    assert 29.9 < loaded.days_left < 30
    _renew(files, authority.issue("127.0.0.1", not_after=now - dt.timedelta(days=2)))
    assert loaded.reload_if_changed()
    assert loaded.days_left < -1


def test_a_certificate_that_cannot_be_parsed_has_no_expiration() -> None:
    assert certificates.find_expiry(b"no certificate") is None


def _served(url: str, client: ssl.SSLContext) -> bytes:
    """Return the certificate that the program serves."""
    host, _, port = url.removeprefix("https://").partition(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=10)
    return ssl.PEM_cert_to_DER_cert(pem)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_program_serves_a_renewed_certificate_and_keeps_open_connections(
    processes: str, start: Start, files: Certificate, authority: Authority
) -> None:
    process = start(
        "service", "--port", "0", "--processes", processes, "--issuer", OKTA,
        "--certfile", str(files.file), "--keyfile", str(files.key_file), SERVICE_FILE_CHECK_INTERVAL="0.1",
    )  # fmt: skip
    assert process.stderr is not None
    url, context = listening(process), authority.client_context()
    address = url.removeprefix("https://").split(":")
    before = files.der
    assert {before} == {_served(url, context) for _ in range(8)}
    with context.wrap_socket(
        socket.create_connection((address[0], int(address[1])), timeout=10), server_hostname=address[0]
    ) as open_connection:
        _half(files, authority.issue("127.0.0.1"))
        first_match(process.stderr, "(TLS certificate not reloaded, the previous one remains)")
        assert {before} == {_served(url, context) for _ in range(8)}
        _renew(files, authority.issue("127.0.0.1"))
        for _ in range(int(processes)):
            first_match(process.stderr, "(TLS certificate reloaded)")
        assert {files.der} == {_served(url, context) for _ in range(8)}
        open_connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n")
        assert open_connection.recv(100).startswith(b"HTTP/1.1 200")
    assert 200 == curl("--cacert", str(authority.file), f"{url}/healthz")[0]


def _fingerprint(url: str) -> str:
    """Return what an operator sees with ``openssl s_client``."""
    client = subprocess.run(
        ["openssl", "s_client", "-connect", url.removeprefix("https://"), "-servername", "127.0.0.1"],  # noqa: S607  # the installed one
        input="",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    pem = "-----BEGIN" + client.stdout.partition("-----BEGIN")[2].partition("-----END")[0] + "-----END CERTIFICATE-----"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_signal_reloads_the_certificate_and_a_bad_pair_leaves_the_previous_one(
    processes: str, start: Start, files: Certificate, authority: Authority
) -> None:
    process = start(
        "service", "--port", "0", "--processes", processes, "--issuer", OKTA,
        "--certfile", str(files.file), "--keyfile", str(files.key_file), SERVICE_FILE_CHECK_INTERVAL="0",
    )  # fmt: skip
    assert process.stderr is not None
    url, before = listening(process), files.digest.hex()
    assert before == _fingerprint(url)
    _half(files, authority.issue("127.0.0.1"))
    process.send_signal(signal.SIGHUP)
    assert first_match(process.stderr, "(are not a certificate and its private key)")
    assert {before} == {_fingerprint(url) for _ in range(4)}
    _renew(files, authority.issue("127.0.0.1"))
    process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 60
    while {files.digest.hex()} != {_fingerprint(url) for _ in range(4)}:
        assert time.monotonic() < end
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert (0, 0) == (process.returncode, err.count("Traceback"))


def test_a_worker_that_is_replaced_during_a_renewal_serves_the_last_good_certificate(
    start: Start, files: Certificate, authority: Authority
) -> None:
    process = start(
        "service", "--port", "0", "--processes", "2", "--issuer", OKTA,
        "--certfile", str(files.file), "--keyfile", str(files.key_file), SERVICE_FILE_CHECK_INTERVAL="0",
    )  # fmt: skip
    assert process.stderr is not None
    url, before = listening(process), files.digest.hex()
    _half(files, authority.issue("127.0.0.1"))
    for child in _workers(process.pid, count=2):
        os.kill(child, signal.SIGKILL)
    workers = _workers(process.pid, count=2)
    assert workers
    assert {before} == {_fingerprint(url) for _ in range(4)}


def _workers(pid: int, *, count: int) -> set[int]:
    """Return the processes that multiprocessing has started for workers, once there are so many."""
    end = time.monotonic() + 60
    found: set[int] = set()
    while len(found) < count:
        assert time.monotonic() < end
        found = workers_of(pid)
    return found


def test_the_metrics_have_the_expiration_of_the_certificate(
    start: Start, files: Certificate, authority: Authority
) -> None:
    expires_at = dt.datetime(2040, 1, 2, tzinfo=dt.UTC)
    _renew(files, authority.issue("127.0.0.1", not_after=expires_at))
    port = free_port()
    process = start(
        "service", "--port", "0", "--admin-port", str(port), "--issuer", OKTA,
        "--certfile", str(files.file), "--keyfile", str(files.key_file),
    )  # fmt: skip
    listening(process)
    name, end = "resource_server_certificate_expiry_timestamp_seconds", time.monotonic() + 30
    found: list[float] = []
    while found != [expires_at.timestamp()]:
        assert time.monotonic() < end, found
        found = [float(value) for value in re.findall(rf"^{name}\S* (\S+)$", _metrics(port), re.MULTILINE)]


def _metrics(port: int) -> str:
    status, text = curl(f"http://127.0.0.1:{port}/metrics")
    assert 200 == status
    return text
