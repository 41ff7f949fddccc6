"""What operators change: the deny list, and the time of the next refresh of a key set."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import asdict

from service.caches.deny_list import DenyList
from service.caches.deny_store import Reach
from service.clock import Clock
from service.operations.admin.operator_handler import OperatorHandler
from service.operations.admin.requests import BadRequest, parse_entry, parse_issuer

_logger = logging.getLogger(__name__)


class DenyListHandler(OperatorHandler):
    """Lists, adds and removes deny list entries."""

    def initialize(self, *, deny_list: DenyList, clock: Clock) -> None:
        """Receive the deny list."""
        self._deny_list = deny_list
        self._clock = clock

    async def get(self) -> None:
        """Send the entries in force."""
        if not self._deny_list.fresh:
            await self._deny_list.refresh()
        denied = sorted(self._deny_list, key=lambda entry: entry.expires_at)
        self.write({"denied": [asdict(entry) for entry in denied]})

    async def post(self) -> None:
        """Add an entry."""
        try:
            entry = parse_entry(self.request.body, now=self._clock.now())
            reach = await self._deny_list.add(entry)
        except (BadRequest, OverflowError) as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        fields = {"kind": entry.kind, "expires_at": _format_time(entry.expires_at)}
        _logger.warning("deny list entry added", extra=fields)
        self.set_status(201)
        self.write(asdict(entry) | _describe(reach))
        return None

    async def delete(self) -> None:
        """Remove an entry."""
        try:
            entry = parse_entry(self.request.body, now=self._clock.now())
        except BadRequest as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        reach = await self._deny_list.remove(*entry.key)
        _logger.warning("deny list entry removed", extra={"kind": entry.kind})
        self.write({"lifted": {entry.kind: entry.value, "issuer": entry.issuer}} | _describe(reach))
        return None


class KeySetsHandler(OperatorHandler):
    """Fetches the key set of one issuer, or of all, in every process at once."""

    def initialize(self, *, deny_list: DenyList) -> None:
        """Receive the deny list, through which a refresh reaches the other processes."""
        self._deny_list = deny_list

    async def post(self) -> None:
        """Fetch the key sets."""
        try:
            issuer = parse_issuer(self.request.body)
            results, reach = await self._deny_list.refresh_key_sets(issuer)
        except (BadRequest, OverflowError) as exc:
            return self.send_json_error(400, "invalid_request", str(exc))
        if not results:
            return self.send_json_error(404, "not_found", "No key set of this issuer is in use; is its name exact?")
        if failed := [name for name, succeeded in results.items() if not succeeded]:
            return self.send_json_error(
                503, "temporarily_unavailable", f"The key set of {', '.join(failed)} could not be fetched; try again"
            )
        self.write({"refreshed": list(results)} | _describe(reach))
        return None


def _describe(reach: Reach) -> dict[str, bool]:
    """Return the members of a response that say how far a change has come."""
    return {"shared": reach.shared} if reach.saved is None else {"shared": reach.shared, "saved": reach.saved}


def _format_time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
