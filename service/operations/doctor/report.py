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
    NOT_REACHED = "-"


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
    seen: str = ""
    expected: str = ""
    advice: str = ""

    def line(self) -> str:
        """Return the finding on one line: what was seen, and what to do."""
        told = "; ".join(filter(None, [self.seen, self.expected and f"expected {self.expected}", self.advice]))
        return f"{self.outcome:<5} {self.about}: {told}" if told else f"{self.outcome:<5} {self.about}"

    def lines(self) -> list[str]:
        """Return the finding on one line where all is well, and with its details below where it is not."""
        if self.outcome in (Outcome.OK, Outcome.NOT_REACHED):
            return [f"{self.outcome:<5} {self.about}" + (f": {self.seen}" if self.seen else "")]
        details = {"seen": self.seen, "expected": self.expected, "do": self.advice}
        return [f"{self.outcome:<5} {self.about}", *(f"        {k:<9} {v}" for k, v in details.items() if v)]


def ok(about: str, seen: str) -> Finding:
    """Return that all is well."""
    return Finding(outcome=Outcome.OK, about=about, seen=seen)


def warn(about: str, seen: str, advice: str) -> Finding:
    """Return that it works, and that somebody should look at it."""
    return Finding(outcome=Outcome.WARN, about=about, seen=seen, advice=advice)


def fail(about: str, seen: str, advice: str, *, expected: str = "") -> Finding:
    """Return that it does not work."""
    return Finding(outcome=Outcome.FAIL, about=about, seen=seen, advice=advice, expected=expected)


def not_reached(about: str, why: str = "") -> Finding:
    """Return that something before it has to work first."""
    return Finding(outcome=Outcome.NOT_REACHED, about=about, seen=f"not reached, since {why}" if why else "not reached")
