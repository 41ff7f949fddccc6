"""What operators change: the deny list, and the time of the next refresh of a key set."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import asdict

from service.caches.deny_list import DenyEntry, DenyList, UnknownIssuer
from service.caches.deny_store import Reach
from service.clock import Clock
from service.operations.admin.audit import describe_entry
from service.operations.admin.operator_handler import OperatorHandler
from service.operations.admin.requests import BadRequest, parse_entry, parse_issuer


class DenyListHandler(OperatorHandler):
    """Lists, adds and removes deny list entries."""

    def initialize(self, *, deny_list: DenyList, clock: Clock) -> None:
        """Receive the deny list."""
        self._deny_list = deny_list
        self._clock = clock

    async def get(self) -> None:
        """Send the entries in force."""
        await self._refresh()
        self.audited.event, self.audited.level = "deny list read", logging.INFO
        denied = sorted(self._deny_list, key=lambda entry: entry.expires_at)
        self.write({"denied": [asdict(entry) for entry in denied]})

    async def post(self) -> None:
        """Add an entry."""
        self.audited.event = "deny list entry added"
        entry = self._read_entry()
        if entry is None:
            return None
        self.audited.fields["expires_at"] = _format_time(entry.expires_at)
        try:
            reach = await self._deny_list.add(entry)
        except UnknownIssuer as exc:
            return self.reject(400, "invalid_request", str(exc), reason="unknown_issuer")
        except OverflowError as exc:
            return self.reject(400, "invalid_request", str(exc), reason="deny_list_full")
        self.audited.fields |= _describe(reach)
        self.set_status(201)
        self.write(asdict(entry) | _describe(reach))
        return None

    async def delete(self) -> None:
        """Remove an entry."""
        self.audited.event = "deny list entry removed"
        entry = self._read_entry()
        if entry is None:
            return None
        await self._refresh()
        if entry.key not in {each.key for each in self._deny_list}:
            description = "There is no such entry; GET lists all of them, with the issuer of each"
            return self.reject(404, "not_found", description, reason="no_such_entry")
        reach = await self._deny_list.remove(*entry.key)
        self.audited.fields |= _describe(reach)
        self.write({"lifted": {entry.kind: entry.value, "issuer": entry.issuer}} | _describe(reach))
        return None

    async def _refresh(self) -> None:
        if not self._deny_list.fresh:  # another process may have changed it
            await self._deny_list.refresh()

    def _read_entry(self) -> DenyEntry | None:
        """Return the entry in the body, or reject the request and return None."""
        try:
            entry = parse_entry(self.request.body, now=self._clock.now())
        except BadRequest as exc:
            self.reject(400, "invalid_request", str(exc), reason="malformed")
            return None
        self.audited.fields |= describe_entry(*entry.key)
        return entry


class KeySetsHandler(OperatorHandler):
    """Fetches the key set of one issuer, or of all, in every process at once."""

    def initialize(self, *, deny_list: DenyList) -> None:
        """Receive the deny list, through which a refresh reaches the other processes."""
        self._deny_list = deny_list

    async def post(self) -> None:
        """Fetch the key sets."""
        self.audited.event = "key sets refreshed"
        try:
            issuer = parse_issuer(self.request.body)
            self.audited.fields["issuer"] = issuer
            results, reach = await self._deny_list.refresh_key_sets(issuer)
        except BadRequest as exc:
            return self.reject(400, "invalid_request", str(exc), reason="malformed")
        except UnknownIssuer as exc:
            return self.reject(404, "not_found", str(exc), reason="unknown_issuer")
        except OverflowError as exc:
            return self.reject(400, "invalid_request", str(exc), reason="deny_list_full")
        if not results:
            description = "No key set of this issuer is in use; a service that introspects its tokens needs none"
            return self.reject(404, "not_found", description, reason="no_key_set")
        if failed := [name for name, succeeded in results.items() if not succeeded]:
            description = f"The key set of {', '.join(failed)} could not be fetched; try again"
            return self.reject(503, "temporarily_unavailable", description, reason="key_set_unavailable")
        self.audited.fields |= _describe(reach)
        self.write({"refreshed": list(results)} | _describe(reach))
        return None


def _describe(reach: Reach) -> dict[str, bool]:
    """Return the members of a response that say how far a change has come."""
    return {"shared": reach.shared} if reach.saved is None else {"shared": reach.shared, "saved": reach.saved}


def _format_time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
