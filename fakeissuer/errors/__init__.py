"""The exceptions of the fake issuer, and the error responses of its endpoints.

::

    FakeIssuerError
    ├── OAuthError           an endpoint rejects a request: responded in one of Okta's formats
    ├── InvalidRequestError  a control call is invalid: 400, nothing changed
    ├── NotFoundError        a control call names something that does not exist: 404
    ├── TokenRequestError    ``python -m fakeissuer token`` got no token: exit code 1
    └── SettingsError        the program cannot start with these options: exit code 2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fakeissuer.errors.error_responses import ErrorCase

_EXTRA = frozenset({"jwcrypto", "msgspec", "tomli_w", "trustme"})
"""The packages that the extra ``fakeissuer`` of the distribution installs."""


class FakeIssuerError(Exception):
    """The base class of all errors."""


class OAuthError(FakeIssuerError):
    """An endpoint rejects a request; ``detail`` is inserted into the description of the ``case``."""

    def __init__(self, case: ErrorCase, detail: str = "") -> None:
        super().__init__(case.value.description.format(detail))
        self.case = case
        self.detail = detail


class InvalidRequestError(FakeIssuerError, ValueError):
    """A control call is invalid; the message says what was wrong and what was expected."""


class NotFoundError(FakeIssuerError, LookupError):
    """Nothing exists under that name."""


class TokenRequestError(FakeIssuerError):
    """A token request failed; the message says what happened and what to do."""


class SettingsError(FakeIssuerError):
    """Options are invalid; each problem is one line: the key, the value, what was expected."""

    def __init__(self, problems: Sequence[str]) -> None:
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
