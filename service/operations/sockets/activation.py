"""Sockets that systemd has opened and hands over (``sd_listen_fds(3)``), by the names of their units."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Collection, Iterator, MutableMapping

from service.errors import SettingsError

_logger = logging.getLogger(__name__)

FIRST_DESCRIPTOR = 3
"""The descriptor of the first socket (``SD_LISTEN_FDS_START``)."""
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6, socket.AF_UNIX})
_MAX_DESCRIPTORS = 1024


def take_sockets(
    names: Collection[str], *, environ: MutableMapping[str, str] = os.environ
) -> dict[str, list[socket.socket]]:
    """Return the listening sockets that systemd has opened for this process, by name.

    The variables are removed, so that no process that this one starts takes the sockets as its own.

    Args:
        names: The names of which there may be sockets; the first one is required if there are any sockets.

    Raises:
        SettingsError: A socket has no name or another one, cannot be used, or that of the first name is missing; one
            sentence for each.
    """
    variables = {name: value for name in _VARIABLES if (value := environ.pop(name, None)) is not None}
    descriptors = _parse_descriptors(variables)
    if not descriptors:
        return {}
    texts = variables.get("LISTEN_FDNAMES", "").split(":")
    by_descriptor = dict(zip(descriptors, [*texts, *[""] * len(descriptors)], strict=False))
    problems = [problem for name in by_descriptor.values() if (problem := _check_name(name, names))]
    taken: dict[str, list[socket.socket]] = {}
    for descriptor, name in by_descriptor.items():
        try:
            taken.setdefault(name, []).append(_take(descriptor, name))
        except ValueError as exc:
            problems.append(str(exc))
    required = next(iter(names))
    if not problems and required not in taken:
        problems.append(f"systemd has handed over no socket named {required}; set FileDescriptorName={required} in one")
    if problems:
        for listening in (each for group in taken.values() for each in group):
            listening.close()
        raise SettingsError(list(dict.fromkeys(problems)))
    return taken


def _parse_descriptors(variables: MutableMapping[str, str]) -> range:
    """Return the numbers of the descriptors; none if they are for another process, or there are none."""
    pid, count = variables.get("LISTEN_PID", ""), variables.get("LISTEN_FDS", "")
    if not pid or not count:
        return range(0)
    if pid != str(os.getpid()):
        _logger.warning(
            "sockets of systemd ignored, because they are for another process; a shell must start the service by exec",
            extra={"listen_pid": pid[:20], "pid": os.getpid()},
        )
        return range(0)
    if not (count.isascii() and count.isdecimal() and len(count) < 5 and int(count) <= _MAX_DESCRIPTORS):
        raise SettingsError([f"LISTEN_FDS: was {count[:20]!r}; expected the number of sockets, which systemd sets"])
    return range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count))


def _check_name(name: str, names: Collection[str]) -> str | None:
    if name in names:
        return None
    expected = f"expected {' or '.join(names)}; set FileDescriptorName= in its unit"
    if not name:
        return f"systemd has handed over a socket without a name; {expected}"
    return f"systemd has handed over a socket named {name!r}; {expected}, or its name as the setting systemd_socket"


def _take(descriptor: int, name: str) -> socket.socket:
    """Return the listening socket with a descriptor, which the processes that this one starts do not inherit.

    Its options are left as systemd has set them, such as the backlog.

    Raises:
        ValueError: It is not a listening stream socket.
    """
    about = f"the descriptor {descriptor} that systemd has handed over as {name!r}"
    try:
        listening = socket.socket(fileno=descriptor)
    except OSError:
        raise ValueError(f"{about} is not a socket; use ListenStream= in its unit") from None
    if problem := next(_find_problems(listening), None):
        listening.close()
        raise ValueError(f"{about} {problem}")
    listening.set_inheritable(False)  # the signature of the standard library
    listening.settimeout(0)
    return listening


def _find_problems(candidate: socket.socket) -> Iterator[str]:
    if candidate.type != socket.SOCK_STREAM:
        yield "is not a stream socket; use ListenStream= in its unit"
    if candidate.family not in _FAMILIES:
        yield "is neither a TCP nor a Unix socket; give ListenStream= a port, an address or a path"
    if not candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        yield "does not listen; set Accept=no in its unit"
