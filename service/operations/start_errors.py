"""Explains the errors of the operating system that stop the program: what happened, and what to do about it."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import traceback
from pathlib import Path

from service.settings.files import show_path

_ADVICE = {
    errno.EACCES: "a port below 1024 needs a privilege: choose another --port, or grant CAP_NET_BIND_SERVICE, or let "
    "systemd open the socket",
    errno.EADDRINUSE: "stop the program that listens there, or choose another --port",
    errno.EADDRNOTAVAIL: "choose an --address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them",
    errno.EAFNOSUPPORT: "this machine has no addresses of that kind; choose an IPv4 --address, such as 127.0.0.1",
    errno.EMFILE: "raise the limit of file descriptors: LimitNOFILE= of systemd, or ulimit -n of a shell",
    errno.ENFILE: "the whole machine has no more file descriptors; stop other programs, or raise fs.file-max",
    errno.ENOSPC: "make room on that file system",
    errno.EFBIG: "the limit of file sizes is reached: LimitFSIZE= of systemd, or ulimit -f of a shell",
    errno.EDQUOT: "the quota of this user is used up; make room",
    errno.EROFS: "the file system is mounted read-only; choose a folder on another one",
    errno.EIO: "the disk or the network file system fails; see the log of the system",
    errno.ENOMEM: "the machine or the container has no more memory",
    errno.EAGAIN: "the limit of processes or memory is reached: TasksMax= of systemd, or ulimit -u of a shell",
}
_ADVICE_FOR_FILES = {
    errno.ENOENT: "is the path right, seen from the current folder?",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENAMETOOLONG: "the path is too long; is it the content of a file?",
    errno.ELOOP: "its symbolic links lead nowhere",
    errno.EACCES: "let the user of the service read it, and enter its folders",
    errno.EPERM: "let the user of the service use it; a security module such as SELinux or AppArmor may forbid it",
}
_ADVICE_FOR_UNIX_SOCKETS = {
    errno.EADDRINUSE: "stop that process, or choose another --address",
    errno.ENOENT: "create its folder, or choose another --address",
    errno.EACCES: "let the user of the service write to its folder, or choose another --address",
    errno.EROFS: "its file system is mounted read-only; choose another --address",
}
_NAME_ERRORS = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_FAMILY")
    if hasattr(socket, name)
}  # fmt: skip


def explain(error: OSError) -> tuple[str, str]:
    """Return what happened and what to do; the second is empty if that is not known.

    The number of an error says little without its place: "permission denied" is about a port if no file is named, and
    "no such file" is about the current folder then.
    """
    number, reason = error.errno or 0, error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return _explain_file(Path(os.fsdecode(error.filename)), number, reason)
    if reason.startswith("unix:"):
        return reason, _ADVICE_FOR_UNIX_SOCKETS.get(number, "")
    if isinstance(error, ssl.SSLError):
        return f"TLS: {reason}", "check certfile, keyfile, client_ca and ca_file"
    if isinstance(error, socket.gaierror) or number in _NAME_ERRORS:
        return reason, "the --address cannot be resolved; write an IP address, such as 127.0.0.1"
    if number == errno.ENOENT and _is_folder_missing():
        return "the current folder does not exist any more", "change to another folder, and start again"
    return reason, _ADVICE.get(number, "")


def describe_start_error(error: OSError) -> str:
    """Return an explanation as one line, with the place in the code if there is no advice."""
    found, advice = explain(error)
    if advice:
        return f"cannot start: {found}; {advice}"
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}, line {place[0].lineno})" if place else ""
    return f"cannot start: {found}{where}"


def _explain_file(path: Path, number: int, reason: str) -> tuple[str, str]:
    return f"{show_path(path)}: {reason}", _ADVICE_FOR_FILES.get(number, _ADVICE.get(number, ""))


def _is_folder_missing() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False
