"""Each failure of the operating system at the start, provoked in a real process, has a sentence that names it."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from programs import Start

from service.operations.start_errors import describe_start_error, explain

OKTA = "https://dev-123456.okta.com/oauth2/default"


class Place(NamedTuple):
    """Where a program is started: a folder, and a port at which another program listens."""

    folder: Path
    taken: int

    def make(self, name: str, content: str = "", mode: int = 0o600) -> str:
        path = self.folder / name
        path.write_text(content)
        path.chmod(mode)
        return str(path)


@pytest.fixture
def place(tmp_path: Path) -> object:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield Place(tmp_path, taken.getsockname()[1])


SERVICE: dict[str, tuple[Callable[[Place], tuple[list[str], dict[str, str]]], int, str, str]] = {
    "a missing certificate": (
        lambda _: (["--certfile", "no.pem", "--keyfile", "no.key"], {}),
        2, "certfile: no.pem: No such file or directory", "--port",
    ),
    "a folder as the certificate": (
        lambda at: (["--certfile", str(at.folder), "--keyfile", str(at.folder)], {}), 2, ": Is a directory", "--port",
    ),
    "a certificate that is none": (
        lambda at: (["--certfile", at.make("x.pem", "x"), "--keyfile", at.make("x.key", "x")], {}),
        2, "are not a certificate and its private key", "--port",
    ),
    "a missing file of settings": (lambda _: (["--config", "no.toml"], {}), 2, "no.toml: No such file", "--port"),
    "a missing secret": (
        lambda _: ([], {"SERVICE_ADMIN_TOKEN_FILE": "no"}), 2, "admin_token_file: no: No such file", "--port",
    ),
    "a port in use": (
        lambda at: (["--port", str(at.taken)], {}),
        1, "Address already in use; stop the program that listens there, or choose another --port", "--address",
    ),
    "an admin port in use": (
        lambda at: (["--admin-port", str(at.taken)], {}), 1, "{taken}: Address already in use", "8080",
    ),
    "an address of another machine": (
        lambda _: (["--address", "192.0.2.1"], {}), 1, "choose an --address of this machine", "another --port",
    ),
    "a name that does not exist": (
        lambda _: (["--address", "no-such-host.invalid"], {}), 1, "the --address cannot be resolved", "another --port",
    ),
    "a Unix socket without its folder": (
        lambda at: (["--address", f"unix:{at.folder}/no/x.sock"], {}), 1, "create its folder", "--port",
    ),
    "a file in place of a Unix socket": (
        lambda at: (["--address", f"unix:{at.make('x.sock')}"], {}), 1, "is not a socket; remove it", "--port",
    ),
    "a deny list in a folder that is missing": (
        lambda _: ([], {"SERVICE_DENY_LIST_FILE": "no/deny.json"}), 2, "its folder does not exist", "writable",
    ),
    "a deny list that is none": (
        lambda at: ([], {"SERVICE_DENY_LIST_FILE": at.make("deny.json", "x")}), 2, "not JSON", "--port",
    ),
    "a metrics folder that is missing": (
        lambda _: (["--admin-port", "0"], {"PROMETHEUS_MULTIPROC_DIR": "no"}),
        2, "PROMETHEUS_MULTIPROC_DIR: no: No such file or directory; create that folder", ".db",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "status", "words", "absent"), SERVICE.values(), ids=SERVICE)
def test_a_failed_start_of_the_service_is_explained(
    prepare: Callable[[Place], tuple[list[str], dict[str, str]]],
    status: int,
    words: str,
    absent: str,
    start: Start,
    place: Place,
) -> None:
    arguments, variables = prepare(place)
    port = [] if "--port" in arguments else ["--port", "0"]
    process = start("service", *port, "--issuer", OKTA, *arguments, **variables)
    out, err = process.communicate(timeout=60)
    assert (status, "") == (process.returncode, out), err
    (line,) = err.splitlines()[-1:]
    assert words.format(taken=place.taken) in line
    assert absent not in line
    assert "Traceback" not in err


FAKE_ISSUER: dict[str, tuple[Callable[[Place], list[str]], int, str]] = {
    "a port in use": (lambda at: ["--port", str(at.taken)], 2, "Address already in use; stop the program"),
    "an address of another machine": (
        lambda _: ["--address", "192.0.2.1", "--insecure-any-address"], 2, "is the --address one of this machine?",
    ),
    "a folder as the keys": (lambda at: ["--keys", str(at.folder)], 2, "is not a file; name one"),
    "keys in a folder that is missing": (lambda _: ["--keys", "no/keys.json"], 2, "--keys: no/keys.json cannot"),
    "a missing file of settings": (lambda _: ["--config", "no.toml"], 2, "no.toml cannot be read"),
    "a CA file that cannot be written": (lambda _: ["--tls", "--ca-file", "no/ca.pem"], 2, "cannot be written"),
    "a token without an issuer": (
        lambda _: ["token", "--issuer", "http://127.0.0.1:1"], 1, "start a fake issuer: python -m fakeissuer",
    ),
    "a token of a host that does not exist": (
        lambda _: ["token", "--issuer", "http://no-such-host.invalid"], 1, "is the host in --issuer right?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "status", "words"), FAKE_ISSUER.values(), ids=FAKE_ISSUER)
def test_a_failed_start_of_the_fake_issuer_is_explained(
    prepare: Callable[[Place], list[str]], status: int, words: str, start: Start, place: Place
) -> None:
    process = start("fakeissuer", *prepare(place))
    _, err = process.communicate(timeout=60)
    assert status == process.returncode, err
    assert words in err
    assert 1 == len(err.splitlines()), err


def test_the_demo_explains_that_its_issuer_cannot_listen(start: Start, place: Place) -> None:
    process = start("service", "--demo", "--port", "0", "--issuer-port", str(place.taken))
    _, err = process.communicate(timeout=60)
    assert 2 == process.returncode
    assert "Address already in use" in err
    assert "--issuer-port" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("program", [["service", "config", "--issuer", OKTA], ["fakeissuer", "config"]])
def test_an_output_that_cannot_be_written_is_explained(
    program: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", *program], cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False, timeout=60,
        )  # fmt: skip
    assert 1 == done.returncode
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line
    reading, writing = os.pipe()
    os.close(reading)  # as `head` has ended
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", *program], cwd=tmp_path, env=environment, stdout=closed, stderr=subprocess.PIPE,
            text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (1, "") == (done.returncode, done.stderr)


def test_a_folder_that_was_removed_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m service --routes a:b"],  # noqa: S607
        cwd=tmp_path, env=environment | {"OKTA_ISSUER": OKTA}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert 1 == done.returncode
    assert "the current folder does not exist any more; change to another folder, and start again" in done.stderr
    assert "Traceback" not in done.stderr


ERRORS: dict[str, tuple[OSError, str]] = {
    "a port that needs a privilege": (
        PermissionError(errno.EACCES, "127.0.0.1:80: Permission denied"), "a port below 1024 needs a privilege",
    ),
    "a file without permission": (
        PermissionError(errno.EACCES, "Permission denied", "secret"), "let the user of the service read it",
    ),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device", "deny.json"), "make room on that file system"),
    "a name": (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "write an IP address"),
    "a Unix socket": (OSError(errno.ENOENT, "unix:/no/x.sock: No such file or directory"), "create its folder"),
    "TLS": (ssl.SSLError(1, "no start line"), "check certfile"),
    "no descriptors": (OSError(errno.EMFILE, "Too many open files"), "LimitNOFILE="),
}  # fmt: skip


@pytest.mark.parametrize(("error", "words"), ERRORS.values(), ids=ERRORS)
def test_an_error_has_advice(error: OSError, words: str) -> None:
    assert words in explain(error)[1]
    assert describe_start_error(error).startswith("cannot start: ")


def test_a_missing_folder_is_recognised_by_the_absence_of_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert ("No such file or directory", "") == explain(error)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "the current folder does not exist any more" == explain(error)[0]


def test_an_unknown_error_has_its_place_in_the_code() -> None:
    with pytest.raises(OSError, match="File name too long") as raised:
        os.stat("x" * 1000)  # noqa: PTH116  # pathlib would add a frame
    raised.value.filename, raised.value.errno = None, errno.EXDEV
    assert "cannot start: File name too long (test_start_errors.py, line" in describe_start_error(raised.value)
    assert "cannot start: OSError" == describe_start_error(OSError())
