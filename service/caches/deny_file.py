"""A file that keeps the deny list over restarts, replaced as a whole so that a crash leaves the old or the new one."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.caches.deny_records import DenyRecord, DenyRecords
from service.clock import Clock
from service.errors import SettingsError

_logger = logging.getLogger(__name__)

_FORMAT = 1
_SUFFIX = ".tmp"


class DenyListFile:
    """The file of one machine, which its processes may share: a write keeps the records of the others.

    Args:
        path: Its folder must exist and be writable.
        clock: Its wall time decides which records have ended.

    Raises:
        SettingsError: The folder is not writable.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path.resolve()
        self._clock = clock
        self._lock = asyncio.Lock()
        try:
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name, suffix=_SUFFIX)
            os.close(handle)
            Path(temporary).unlink()
        except OSError as exc:
            problem = "does not exist" if isinstance(exc, FileNotFoundError) else f"is not writable: {exc.strerror}"
            raise SettingsError([f"deny_list_file: {path}: its folder {problem}"]) from exc

    @property
    def version(self) -> tuple[int, int] | None:
        """A value that changes with the content; None if the file does not exist."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def read(self) -> list[DenyRecord]:
        """Return the records in the file; none if it does not exist.

        Raises:
            SettingsError: The file cannot be read, or has other content; starting without it would accept the tokens
                that it denies.
        """
        try:
            document = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as exc:
            raise self._unusable(getattr(exc, "strerror", None) or "not JSON") from None
        match document:
            case {"format": 1, "records": list(members)}:
                records = DenyRecord.read_all(members)
                if len(records) == len(members):
                    return list(records.values())
        raise self._unusable("not a deny list")

    async def write(self, records: Iterable[DenyRecord]) -> bool:
        """Merge records into the file, in a thread; return whether they are on the disk.

        Args:
            records: Read when it is the turn of this call, so that the last call writes the newest records.
        """
        async with self._lock:
            try:
                await asyncio.to_thread(self._merge, tuple(records))
            except OSError as exc:
                fields = {"path": str(self._path), "error": exc.strerror}
                _logger.error("deny list not saved: path=%(path)s error=%(error)s", fields, extra=fields)  # noqa: TRY400  # short
                return False
        return True

    async def close(self) -> None:
        """Wait for a write in progress."""
        async with self._lock:
            pass

    def _merge(self, records: Sequence[DenyRecord]) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # another process may have saved an entry that is unknown here
            merged = DenyRecords(clock=self._clock)
            with suppress(SettingsError):  # damaged since the start; these records are all there is
                merged.merge(self.read())
            merged.merge(records)
            self._replace([record.to_json() for record in merged])
            os.fsync(folder)  # the new name, too, survives a power failure
        finally:
            os.close(folder)

    def _replace(self, records: list[Any]) -> None:
        text = json.dumps({"format": _FORMAT, "records": records})
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name, suffix=_SUFFIX)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _unusable(self, reason: str) -> SettingsError:
        advice = "restore it from a backup, or delete it to start with an empty deny list"
        return SettingsError([f"deny_list_file: {self._path}: {reason}; {advice}"])
