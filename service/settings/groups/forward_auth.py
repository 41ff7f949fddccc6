"""The settings of ``/auth``, which validates tokens for a reverse proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from service.settings.profiles.texts import Texts

_GATE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)=((?:[\x21\x23-\x5b\x5d-\x7e]+(?: |$))*)", re.ASCII)
"""A name, and scopes (RFC 6749 section 3.3) or none."""


def _check_gates(gates: tuple[str, ...]) -> tuple[str, ...]:
    names = [gate.partition("=")[0] for gate in gates]
    for name, gate in zip(names, gates, strict=True):
        if not _GATE.fullmatch(gate):
            expected = "expected a name of lower-case letters, digits and hyphens, =, and scopes separated by spaces"
            raise ValueError(f"{gate!r}: {expected}, such as reports=reports:read; nothing after = for any token")
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there twice; write all its scopes into one item")
    return gates


class ForwardAuthSettings(BaseModel):
    """The part of the settings that concerns forward authentication."""

    model_config = ConfigDict(defer_build=True)

    forward_auth: bool = False
    """Whether ``/auth`` validates tokens for a proxy."""
    forward_auth_gates: Annotated[Texts, AfterValidator(_check_gates)] = ()
    """The gates below ``/auth``, each as ``name=scopes``.

    ``reports=reports:read`` serves ``/auth/reports``, which requires the scope ``reports:read``.
    """

    @property
    def scopes_of_gates(self) -> Mapping[str, str]:
        """The scopes that each gate requires, separated by spaces."""
        gates = (gate.partition("=") for gate in self.forward_auth_gates)
        return {name: scopes for name, _, scopes in gates}

    def _gate_problems(self) -> Iterator[str]:
        if self.forward_auth_gates and not self.forward_auth:
            yield "forward_auth_gates: no gate is served without /auth; set forward_auth to true"
