"""The settings of the admin port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import jiter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr

from service.settings.files import read_text
from service.settings.profiles.texts import Texts
from service.settings.strength import check_strength
from service.settings.types import Address, Port, unix_path

_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_OPERATOR = re.compile(r"[A-Za-z0-9_.@-]{1,31}", re.ASCII)
"""The name of an operator, which is shorter than any token."""
_SHARED = "admin_token"
"""The name of the operators that share ``admin_token``."""


def _check_host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a host name; write it as in URLs, without scheme and port")
    return names


def _check_token(token: SecretStr) -> SecretStr:
    check_strength(token.get_secret_value())
    return token


def _read_tokens(tables: object) -> object:
    """Return the token of each operator, with those that are in files."""
    if isinstance(tables, str):
        try:
            tables = jiter.from_json(tables.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
        except ValueError:  # its message may quote a token
            tables = None
    if not isinstance(tables, Mapping):
        raise ValueError('expected a table of names and tokens: {"alice": "…", "bob": {"file": "/run/secrets/bob"}}')
    tokens: dict[object, object] = {}
    for name, token in tables.items():
        if not isinstance(name, str) or not _OPERATOR.fullmatch(name):  # not shown, since it may be the token
            raise ValueError("the name of an operator is not one of 1 to 31 letters, digits and characters of _ . @ -")
        if name == _SHARED:
            raise ValueError(f"{_SHARED} is the name of those who send the token of that setting; use another name")
        tokens[name] = _read_token(name, token)
    return tokens


def _read_token(name: str, token: object) -> object:
    match token:
        case {"file": str(path), **others} if not others:
            try:
                return read_text(path).strip()
            except ValueError as exc:
                raise ValueError(f"{name}: {exc}") from None
        case str() | SecretStr():
            return token
    raise ValueError(f'{name}: expected a token as a text, or its file: {{"file": "/run/secrets/{name}"}}')


def _check_tokens(tokens: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, token in tokens.items():
        try:
            check_strength(token.get_secret_value())
        except ValueError as exc:
            raise ValueError(f"{name}: {exc}") from None
    return tokens


OperatorTokens = Annotated[dict[str, SecretStr], BeforeValidator(_read_tokens), AfterValidator(_check_tokens)]


class AdminSettings(BaseModel):
    """The part of the settings that concerns the admin port."""

    model_config = ConfigDict(defer_build=True)

    admin_port: Port | None = None
    """The port for the deny list and the metrics, 0 for any free port; none if not set, unless ``admin_address`` is a
    Unix socket."""
    admin_address: Address = "127.0.0.1"
    """The address of the admin port, or ``unix:`` with the path of a Unix socket.

    It serves TLS with ``certfile`` unless the address is a loopback one or that of a Unix socket.
    """
    admin_hosts: Annotated[Texts, AfterValidator(_check_host_names)] = ()
    """The host names of the admin port in URLs; loopback names and ``admin_address`` are always accepted."""
    admin_token: Annotated[SecretStr, AfterValidator(_check_token)] | None = None
    """The bearer token that requests to the deny list must send; without any token, they are all rejected."""
    admin_token_file: str | None = None
    """A file that holds ``admin_token``."""
    admin_tokens: OperatorTokens = {}  # pydantic copies defaults
    """The token of each operator by name, so that the audit log says who has changed something.

    A token is a text, or a table with the ``file`` that holds it.
    """

    @property
    def has_admin_port(self) -> bool:
        """Whether the admin port is on."""
        return self.admin_port is not None or unix_path(self.admin_address) is not None

    @property
    def operator_tokens(self) -> dict[str, str]:
        """The tokens for the admin port by the name of the operator; none if nothing can be changed there."""
        shared = {_SHARED: self.admin_token} if self.admin_token else {}
        return {name: token.get_secret_value() for name, token in (shared | self.admin_tokens).items()}

    def find_shared_tokens(self) -> Iterator[str]:
        """Yield one sentence for each operator whose token another one has, too: the log could not tell them apart."""
        owners: dict[str, str] = {}
        for name, token in self.operator_tokens.items():
            if (owner := owners.setdefault(token, name)) != name:
                yield f"admin_tokens: {name} and {owner} have the same token; give each operator another one"
