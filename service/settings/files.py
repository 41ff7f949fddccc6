"""Reads the files that settings name; each error is one line that names the file."""

from __future__ import annotations

import io
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from service.tokens.encoding import decode_document

_MAX_KEYS_SIZE = 512 * 1024
"""Bytes of a file with a key set; a key set has a few thousand."""
_MAX_SHOWN_LENGTH = 200
"""Characters; a longer path is a key or a certificate in place of its file."""


def show_path(path: str | Path) -> str:
    """Return a path for a message, unless it is the content of a file, which may be secret."""
    text = str(path)
    return text if len(text) <= _MAX_SHOWN_LENGTH and text.isprintable() else "(not a path)"


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark.

    Raises:
        ValueError: The file cannot be read, or is not text in UTF-8.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as exc:
        raise ValueError(f"{show_path(path)}: {exc.strerror}") from None
    except UnicodeError:
        text = "\0"
    except ValueError:  # the path contains a null character
        raise ValueError(f"{show_path(path)}: no such file") from None
    if "\0" in text:  # UTF-16 without a byte order mark can be valid UTF-8
        raise ValueError(f"{show_path(path)}: not UTF-8 text; save the file in UTF-8") from None
    return text


def read_secret_file(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return settings with the secret ``name`` read from the file ``{name}_file``, unless it is set directly.

    Raises:
        ValueError: The file cannot be read, or is empty.
    """
    settings = dict(values)
    path = settings.get(f"{name}_file")
    if isinstance(path, str) and path and not settings.get(name):
        try:
            secret = read_text(path).strip()
        except ValueError as exc:
            raise ValueError(f"{name}_file: {exc}") from None
        if not secret:
            raise ValueError(f"{name}_file: {show_path(path)} is empty")
        settings[name] = secret
    return settings


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ValueError: The file cannot be read, or is not TOML.
    """
    import tomllib  # noqa: PLC0415  # most services have no such file

    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{show_path(path)}: not valid TOML: {exc}") from None


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables in a file of ``NAME=value`` lines.

    Raises:
        ValueError: The file cannot be read, or has lines of another form; one line for each.
    """
    from dotenv import dotenv_values  # noqa: PLC0415  # most services have no such file
    from dotenv.parser import parse_stream  # noqa: PLC0415  # as above

    text = read_text(path)
    # The values are not shown, because the line may contain a secret after a colon.
    problems = []
    values: dict[str, str | None] = {}
    for binding in parse_stream(io.StringIO(text)):
        statement = binding.original.string
        line = binding.original.line + statement[: len(statement) - len(statement.lstrip())].count("\n")
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(f"{show_path(path)}: line {line}: expected NAME=value")
        elif binding.key is not None and values.setdefault(binding.key, binding.value) != binding.value:
            problems.append(
                f"{show_path(path)}: line {line}: {binding.key} has another value above; remove one of them"
            )
    if problems:
        raise ValueError("\n".join(problems))
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def check_keys_file(path: str) -> str:
    """Return a path if a key set can be read there.

    Raises:
        ValueError: The file cannot be read, or contains no JWK Set with a usable key.
    """
    from service.tokens.key_set import KeySet  # noqa: PLC0415  # few services have such a file

    try:
        content = read_keys_file(path)
    except ValueError as exc:
        raise ValueError(f"{show_path(path)}: {exc}") from None
    try:
        KeySet.read(decode_document(content))
    except ValueError as exc:
        raise ValueError(f"{show_path(path)}: expected a JWK Set in JSON: {exc}") from None
    return path


def read_keys_file(path: str) -> bytes:
    """Return the content of a file with a key set.

    Raises:
        ValueError: The file cannot be read; the message does not repeat its path.
    """
    try:
        if not Path(path).is_file():  # a pipe would block the reader
            raise ValueError("it is not a file" if Path(path).exists() else "no such file")
        with Path(path).open("rb") as file:
            content = file.read(_MAX_KEYS_SIZE + 1)
    except OSError as exc:
        raise ValueError(exc.strerror) from None
    if len(content) > _MAX_KEYS_SIZE:
        raise ValueError(f"it has more than {_MAX_KEYS_SIZE} bytes")
    return content


def check_ca_file(path: str) -> str:
    """Return a path if certificates can be read there.

    Raises:
        ValueError: The file cannot be read, or contains no certificate in PEM.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{show_path(path)} contains no certificate in PEM") from None
    except (OSError, ValueError) as exc:
        raise ValueError(f"{show_path(path)}: {getattr(exc, 'strerror', None) or 'no such file'}") from None
    return path


CAFile = Annotated[str, AfterValidator(check_ca_file)]
