"""Hands the deny entries of a worker with a local cache to the workers that replace it, and to those beside it."""

from __future__ import annotations

import asyncio
import logging

from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyList
from service.errors import SettingsError

_logger = logging.getLogger(__name__)

_INTERVAL = 1.0
"""Seconds; the time within which an entry reaches every process with a shared cache, too."""


class FollowedDenyFile:
    """Writes the entries of a deny list into a file, and reads those that other processes have written.

    Raises:
        SettingsError: The file is unusable.
    """

    def __init__(self, deny_list: DenyList, file: DenyListFile) -> None:
        self._deny_list = deny_list
        self._file = file
        self._version = file.version
        deny_list.hand_over(file)

    async def run(self) -> None:
        """Read the file whenever it has changed, until the task is cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL)
            if (version := self._file.version) != self._version:
                self._version = version
                try:
                    self._deny_list.hand_over(self._file)
                except SettingsError as exc:
                    _logger.error("deny entries of another worker not read", extra={"error": str(exc)})  # noqa: TRY400  # short
