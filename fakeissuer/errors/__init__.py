"""Every error that the fake issuer raises.

::

    FakeIssuerError
    ├── OAuthError           an endpoint says no to a client: answered in one of Okta's shapes
    ├── InvalidRequestError  the control plane or a test asked for what cannot be: 400, nothing changed
    ├── NotFoundError        the control plane was asked for something that it does not have: 404
    ├── TokenRequestError    no running fake issuer gave the token that the command line asked for: exit code 1
    └── SettingsError        the program cannot start like this: exit code 2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fakeissuer.errors.error_responses import ErrorCase

_EXTRA = frozenset({"jwcrypto", "msgspec", "tomli_w", "trustme"})
"""The packages that the extra ``fakeissuer`` of the distribution installs."""


class FakeIssuerError(Exception):
    """The root: nothing else is raised on purpose."""


class OAuthError(FakeIssuerError):
    """An endpoint refuses a request, for the reason that stands in the table of problems."""

    def __init__(self, case: ErrorCase, detail: str = "") -> None:
        """Hold the row of the table, and the name that its sentence is about, where it has a place for one."""
        super().__init__(case.value.description.format(detail))
        self.case = case
        self.detail = detail


class InvalidRequestError(FakeIssuerError, ValueError):
    """What was asked for cannot be done; the message says what was wrong and what was expected."""


class NotFoundError(FakeIssuerError, LookupError):
    """There is nothing of that name."""


class TokenRequestError(FakeIssuerError):
    """No token came; the message says what happened and what to do."""


class SettingsError(FakeIssuerError):
    """The program was told something that it cannot start with; one line a problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Hold each problem: the key, what it was, what was expected."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@contextmanager
def report_missing_extra() -> Iterator[None]:
    """Turn a failed import of a package of the extra ``fakeissuer`` into a sentence that says what to install.

    Raises:
        SettingsError: The extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in _EXTRA:
            raise
        problem = (
            f"the fake issuer needs {exc.name}, which is not installed; run: "
            "python -m pip install 'tornado-resource-server[fakeissuer]'"
        )
        raise SettingsError([problem]) from exc
