"""What was found, one rule or one check after another, and how it is printed."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    """How one rule or one check ended: the first word of its line."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "?"
    """Nobody can tell, because an issuer cannot be asked."""
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of a report.

    Args:
        about: The rule, or the thing that was checked.
        seen: What there is.
        expected: What there ought to be, where that is not plain.
        advice: What to do.
    """

    outcome: Outcome
    about: str
    found: str = ""
    expected: str = ""
    advice: str = ""

    def line(self) -> str:
        """Return the finding on one line: what was seen, and what to do."""
        text = "; ".join(filter(None, [self.found, self.expected and f"expected {self.expected}", self.advice]))
        return f"{self.outcome:<7} {self.about}: {text}" if text else f"{self.outcome:<7} {self.about}"

    def lines(self) -> list[str]:
        """Return the finding on one line where all is well, and with its details below where it is not."""
        if self.outcome in (Outcome.OK, Outcome.SKIPPED):
            return [f"{self.outcome:<7} {self.about}" + (f": {self.found}" if self.found else "")]
        details = {"found": self.found, "expected": self.expected, "fix": self.advice}
        return [f"{self.outcome:<7} {self.about}", *(f"        {k:<9} {v}" for k, v in details.items() if v)]


def ok(about: str, found: str) -> Finding:
    """Return that all is well."""
    return Finding(outcome=Outcome.OK, about=about, found=found)


def warn(about: str, found: str, advice: str) -> Finding:
    """Return that it works, and that somebody should look at it."""
    return Finding(outcome=Outcome.WARN, about=about, found=found, advice=advice)


def fail(about: str, found: str, advice: str, *, expected: str = "") -> Finding:
    """Return that it does not work."""
    return Finding(outcome=Outcome.FAIL, about=about, found=found, advice=advice, expected=expected)


def skipped(about: str, why: str = "") -> Finding:
    """Return that something before it has to work first."""
    return Finding(outcome=Outcome.SKIPPED, about=about, found=f"not reached, since {why}" if why else "not reached")
