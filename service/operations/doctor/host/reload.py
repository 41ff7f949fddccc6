"""The check before a reload."""

from __future__ import annotations

from service.errors import SettingsError
from service.operations.doctor.host.local import check_locally
from service.operations.doctor.report import Outcome
from service.settings.program import Settings


def failing_checks(settings: Settings) -> frozenset[str]:
    """Return the names of the local checks that fail."""
    return frozenset(
        finding.identifier for finding in check_locally(settings) if finding.outcome is Outcome.FAIL
    )  # fmt: skip


def check_before_reload(settings: Settings, *, failing: frozenset[str]) -> frozenset[str]:
    """Check new settings without the network, and return the names of the checks that fail.

    A check that has failed before does not stop a reload: an expired certificate must not keep a renewed secret away.

    Args:
        failing: What the last call has returned, or :func:`failing_checks` at the start.

    Raises:
        SettingsError: A check fails that has not failed before; one sentence for each.
    """
    failures = {finding.identifier: finding for finding in check_locally(settings) if finding.outcome is Outcome.FAIL}
    if problems := [failures[name] for name in failures.keys() - failing]:
        raise SettingsError(sorted(f"{each.about}: {each.text}; {each.advice}" for each in problems))
    return frozenset(failures)
