"""Write the reference pages that are generated from the code: ``python docs/generate_reference.py [FOLDER]``.

The pages are committed, so that they can be read on GitHub; a test checks that they are current.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from service import Settings
from service.settings.names import environment_names

REFERENCE = Path(__file__).parent / "reference"
ISSUER_TABLE: type[BaseModel] = get_args(Settings.model_fields["issuers"].annotation)[0]

_SETTINGS_INTRODUCTION = """\
Settings
========

.. This page is generated: python docs/generate_reference.py

A setting is read from these sources; a later one overrides an earlier one:

1. its default;
2. the TOML file that ``--config`` names, under the name of the setting;
3. the file ``.okta.env``, or the one that ``--env-file`` names, under a name of the environment, or as ``ISSUER``,
   ``CLIENT_ID`` and ``CLIENT_SECRET``, the names in Okta's samples;
4. the environment;
5. the command line.

A program of yours reads them with one call, see `Reading settings <../how-to/settings.rst>`_.
A list is separated by commas in the environment, and an array in TOML.
An empty variable is not set; an empty array of audiences or clients is an error.

An unknown name is an error that names the nearest setting, because a misspelt restriction would not apply.
This includes all variables that begin with ``SERVICE_``.
A variable that resembles one of Okta's names below is an error while that setting has no value.
Variables of Okta's SDKs, and those that Kubernetes sets for a Service named ``service``, are ignored.
``python -m service config`` prints each setting, its value, and its source.
"""
_ISSUERS_INTRODUCTION = """\
Settings of one issuer
----------------------

Each ``[[issuers]]`` table of the TOML file trusts one more issuer.
Where a table leaves out a setting that is marked *as above*, the issuer has the value of the setting above.

.. list-table::
   :header-rows: 1
   :widths: 30 20 50

   * - setting
     - default
     - meaning
"""
_COMMANDS_INTRODUCTION = """\
Command line
============

.. This page is generated: python docs/generate_reference.py

Both programs exit with 0 when they are done, 1 when they failed, and 2 when the usage or a setting is wrong.
``resource-server`` and ``fakeissuer`` are the same programs as console scripts.
"""
_COMMANDS = ["service", "fakeissuer", "fakeissuer token", "fakeissuer config"]


def settings_page() -> str:
    """Return the page of all settings, as reST."""
    schema = Settings.model_json_schema(by_alias=False)["properties"]
    described, of_issuer = _descriptions(Settings), _descriptions(ISSUER_TABLE)
    sections = [
        _section(name, field, described[name], type_text=_type_text(schema[name]))
        for name, field in Settings.model_fields.items()
    ]
    rows = [
        line
        for name, field in ISSUER_TABLE.model_fields.items()
        for line in _issuer_row(name, field, own=of_issuer.get(name), inherited=described.get(name))
    ]
    return "\n".join([_SETTINGS_INTRODUCTION, *sections, _ISSUERS_INTRODUCTION + "\n".join(rows) + "\n"])


def command_line_page() -> str:
    """Return the page with the help of each command, as reST."""
    parts = [_COMMANDS_INTRODUCTION]
    for command in _COMMANDS:
        title = f"python -m {command}"
        lines = [f"   {line}".rstrip() for line in _help(command).splitlines()]
        parts.append("\n".join([title, "-" * len(title), "", ".. code-block:: text", "", *lines, ""]))
    return "\n".join(parts)


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring of each setting, by its name.

    Pydantic could read them, but would do so at each start of a program.
    """
    found = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            definition = cast("ast.ClassDef", ast.parse(inspect.getsource(kind)).body[0])
            for statements in pairwise(definition.body):
                match statements:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(docstring))):
                        found[name] = inspect.cleandoc(docstring)
    return found


def _section(name: str, field: FieldInfo, description: str, *, type_text: str) -> str:
    names = " or ".join(f"``{variable}``" for variable in environment_names(name, field))
    return f"""\
``{name}``
{"-" * len(f"``{name}``")}

{description}

| Type: {type_text}
| Default: {_default_text(field)}
| Environment: {names}
"""


def _issuer_row(name: str, field: FieldInfo, *, own: str | None, inherited: str | None) -> Iterator[str]:
    """Yield the lines of one row; a setting without a description of its own is one of the program, too."""
    yield f"   * - ``{name}``"
    yield f"     - {_default_text(field) if own else '*as above*'}"
    yield f"     - {own or inherited}"


def _default_text(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "none; it is required"
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, tuple):
        value = ", ".join(value)
    return f"``{value:g}``" if isinstance(value, float) else f"``{value}``" if value != "" else "empty"


def _type_text(schema: Mapping[str, Any]) -> str:
    """Return the type of a setting in words, with its unit and its bounds."""
    (one,) = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    if "enum" in one:
        return "one of " + ", ".join(f"``{choice}``" for choice in one["enum"])
    if one.get("format") == "password":
        return "text, never shown"
    bounds = f", {one['minimum']} to {one['maximum']}" if {"minimum", "maximum"} <= one.keys() else ""
    return {
        "array": "list of tables" if "$ref" in one.get("items", {}) else "list of texts",
        "boolean": "``true`` or ``false``",
        "integer": f"integer{bounds}",
        "object": "table of texts, never shown",  # the only table is that of tokens
        "number": "number of seconds, 0 or more",  # the only numbers that may have a fraction are times
        "string": "text",
    }[one["type"]]


def _help(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--help"],
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Write both pages."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else REFERENCE
    (folder / "settings.rst").write_text(settings_page(), "utf-8")
    (folder / "command-line.rst").write_text(command_line_page(), "utf-8")


if __name__ == "__main__":
    main()
