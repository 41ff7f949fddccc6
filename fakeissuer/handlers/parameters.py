"""Reading parameters, each of which may come once (RFC 6749 section 3.2)."""

from __future__ import annotations

from fakeissuer.errors import Refused
from fakeissuer.problems import Problem

FORM = "application/x-www-form-urlencoded"


def once(arguments: dict[str, list[bytes]]) -> dict[str, str]:
    """Return parameters as texts.

    Raises:
        Refused: one came twice, so that two readers could take it for different things.
    """
    for name, values in arguments.items():
        if len(values) > 1:
            # Tornado reads names as Latin-1, which holds any byte; people write UTF-8.
            raise Refused(Problem.PARAMETER_TWICE, name.encode("latin-1").decode("utf-8", "replace"))
    return {name: values[0].decode("utf-8", "replace") for name, values in arguments.items()}
