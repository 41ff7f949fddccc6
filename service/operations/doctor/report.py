"""The findings of ``check`` and ``explain``, and their text."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

HOW_TO_SET = (
    "A setting x is SERVICE_X in the environment, and x in the TOML file or in the table of an issuer; "
    "a name of Okta that is set, such as OKTA_OAUTH2_AUDIENCE, takes precedence over SERVICE_AUDIENCE."
)
"""Where the settings that an advice names are set."""


class Outcome(enum.StrEnum):
    """The outcome of one rule or check; the first word of its line."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "?"
    """Undecided, because an issuer is unavailable."""
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of a report.

    Args:
        about: The rule, or what was checked.
        subject: The issuer that a check is about, if there are several; empty for the service itself.
        found: The value that was found.
        expected: The expected value, unless that is obvious.
        advice: How to fix it.
    """

    outcome: Outcome
    about: str
    found: str = ""
    expected: str = ""
    advice: str = ""
    subject: str = ""

    @property
    def identifier(self) -> str:
        """The name of the check for programs; a custom validator's kind is not part of it."""
        about = "validator" if self.about.startswith("validator ") else self.about
        return re.sub(r"[^a-z0-9]+", "_", about.lower())

    @property
    def text(self) -> str:
        """What was found, and what was expected unless that is obvious."""
        return "; ".join(filter(None, [self.found, self.expected and f"expected {self.expected}"]))

    def line(self) -> str:
        """Return the finding on one line."""
        text = "; ".join(filter(None, [self.text, self.advice]))
        start = f"{self.outcome:<7} {f'{self.subject} ' if self.subject else ''}{self.about}"
        return f"{start}: {text}" if text else start

    def to_json(self) -> dict[str, str]:
        """Return the finding with the fields that programs can rely on."""
        return {
            "id": self.identifier,
            "status": str(self.outcome),
            "subject": self.subject,
            "text": self.text,
            "advice": self.advice,
        }

    def lines(self) -> list[str]:
        """Return the finding on one line, followed by its details unless it is ok or skipped."""
        if self.outcome in (Outcome.OK, Outcome.SKIPPED):
            return [f"{self.outcome:<7} {self.about}" + (f": {self.found}" if self.found else "")]
        details = {"found": self.found, "expected": self.expected, "fix": self.advice}
        return [f"{self.outcome:<7} {self.about}", *(f"        {k:<9} {v}" for k, v in details.items() if v)]


def ok(about: str, found: str) -> Finding:
    """Return a passed check."""
    return Finding(outcome=Outcome.OK, about=about, found=found)


def warn(about: str, found: str, advice: str) -> Finding:
    """Return a passed check with a warning."""
    return Finding(outcome=Outcome.WARN, about=about, found=found, advice=advice)


def fail(about: str, found: str, advice: str, *, expected: str = "") -> Finding:
    """Return a failed check."""
    return Finding(outcome=Outcome.FAIL, about=about, found=found, advice=advice, expected=expected)


def skipped(about: str, why: str = "") -> Finding:
    """Return a check that was skipped because an earlier one failed."""
    return Finding(outcome=Outcome.SKIPPED, about=about, found=f"not reached, since {why}" if why else "not reached")
