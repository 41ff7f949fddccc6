"""The names of the settings, in Python and in the environment, and the recognition of misspelt ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.profiles.settings import ServerProfileSettings
from service.text import did_you_mean

PREFIX = "SERVICE_"
"""The prefix of the environment names of all settings."""

_OKTA_PREFIXES = ("OKTA_", "OKTA_OAUTH2_")
_NEAR = 0.88
"""The similarity from which a variable counts as misspelt; ``OKTA_API_CLIENT_ID``, which Terraform uses, is below."""
_OTHER_PROGRAMS = frozenset(
    {"OKTA_CLIENT_KID", "OKTA_OAUTH2_CLIENT_ID_WEB", "OKTA_OAUTH2_CLIENT_SECRET_WEB", "SERVICE_RESULT"}
)
"""Variables of Okta's SDKs and samples, and of systemd, that resemble ours but mean something else."""
_SAMPLE_NAMES = {"ISSUER": "issuer", "CLIENT_ID": "client_id", "CLIENT_SECRET": "client_secret"}
"""Names in the ``.okta.env`` of Okta's samples.

They are read from such a file only: in the environment, they may belong to any other program.
"""
_KUBERNETES = re.compile(
    r"SERVICE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)", re.ASCII
)
"""Variables that Kubernetes sets for a Service named ``service`` or ``service-…``, except ``SERVICE_…_PORT``."""
_KUBERNETES_PORT = re.compile(r"(tcp|udp|sctp)://")


def environment_names(name: str, info: FieldInfo) -> tuple[str, ...]:
    """Return the environment names of a setting; the first one that is set takes precedence."""
    aliases = info.validation_alias.choices if isinstance(info.validation_alias, AliasChoices) else ()
    return tuple(dict.fromkeys([*map(str, aliases), f"{PREFIX}{name.upper()}"]))


class SettingNames:
    """The names of the settings of one class.

    Args:
        fields: The fields of the class.
    """

    def __init__(self, fields: Mapping[str, FieldInfo]) -> None:
        self._fields = fields
        self._variables = {
            variable: name for name, info in fields.items() for variable in environment_names(name, info)
        }
        self._okta_names = {
            variable: name for variable, name in self._variables.items() if variable.startswith(_OKTA_PREFIXES)
        } | {
            f"{prefix}{name.upper()}": name
            for prefix in _OKTA_PREFIXES
            # Okta has no names for the others; OKTA_OAUTH2_GROUPS_CLAIM is a setting of Spring.
            for name in (IssuerSettings.model_fields.keys() & fields.keys()) - ServerProfileSettings.model_fields.keys()
        }

    def by_field(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values with the environment names replaced by those of the settings."""
        by_name = dict(values)
        for variable, name in self._variables.items():
            if variable in by_name:
                by_name.setdefault(name, by_name[variable])
                del by_name[variable]
        return by_name

    def from_environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the settings in an environment by name, and each misspelt variable by its own name.

        Names are case-insensitive. An empty variable is not set. Variables of other programs are omitted.

        Raises:
            SettingsError: A value is wrapped in quotes, which ``docker run --env-file`` passes on as they are.
        """
        if quoted := sorted(
            name for name in variables if name.upper() in self._variables and _is_quoted(variables[name])
        ):
            advice = "its value is wrapped in quotes, which docker run --env-file passes on; remove the quotes"
            raise SettingsError([f"{name}: {advice}" for name in quoted])
        return self._from_variables(variables, {})

    def from_env_file(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the settings in an ``.okta.env`` like those in an environment, with the names of Okta's samples too.

        The names of the environment take precedence over these.
        """
        return self._from_variables(variables, _SAMPLE_NAMES)

    def _from_variables(self, variables: Mapping[str, str], further_names: Mapping[str, str]) -> dict[str, str]:
        by_precedence = sorted(variables.items(), key=lambda item: item[0].isupper())  # the usual spelling wins
        present = {variable.upper(): value for variable, value in by_precedence if value}
        further = {name: present[variable] for variable, name in further_names.items() if variable in present}
        found = further | self.by_field(
            {variable: value for variable, value in present.items() if variable in self._variables}
        )
        misspelt = {
            variable: value
            for variable, value in present.items()
            if variable not in self._variables and self._is_misspelt(variable, value, found.keys())
        }
        return found | misspelt

    def find_unknown(self, names: Iterable[str]) -> Iterator[str]:
        """Yield one sentence for each name that is not a setting, with the nearest one."""
        for name in sorted(set(names) - self._fields.keys()):
            yield f"there is no setting {name!r}{self._hint(name)}"

    def _hint(self, name: str) -> str:
        if near := self._near_okta_name(name):
            return f"; did you mean {environment_names(near, self._fields[near])[0]!r}?"
        if not name.startswith(PREFIX):
            return did_you_mean(name, self._fields)
        # Names are compared without their prefix, which would make all of them similar.
        near_names = {variable.removeprefix(PREFIX): variable for variable in self._variables}
        match = difflib.get_close_matches(name.removeprefix(PREFIX), near_names, n=1)
        return f"; did you mean {near_names[match[0]]!r}?" if match else ""

    def _is_misspelt(self, variable: str, value: str, found: Iterable[str]) -> bool:
        if variable in _OTHER_PROGRAMS:
            return False
        if variable.startswith(PREFIX):
            is_link = variable.endswith("_PORT") and is_set_by_kubernetes(value)
            return not is_link and not _KUBERNETES.fullmatch(variable)
        # Other programs with variables of their own share the environment, so a variable that resembles a setting is
        # misspelt only while that setting has no value.
        near = self._near_okta_name(variable)
        return near is not None and near not in found

    def _near_okta_name(self, variable: str) -> str | None:
        """Return the setting whose name at Okta a variable resembles, or None."""
        if not variable.startswith(_OKTA_PREFIXES):
            return None
        near = difflib.get_close_matches(variable, self._okta_names, n=1, cutoff=_NEAR)
        return self._okta_names[near[0]] if near else None


def _is_quoted(value: str) -> bool:
    """Return whether a value begins and ends with the same quote; it may be a secret, so it is not changed."""
    return len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"


def is_set_by_kubernetes(value: object) -> bool:
    """Return whether a value is that of the variable ``…_PORT`` which Kubernetes sets for each Service."""
    return isinstance(value, str) and _KUBERNETES_PORT.match(value) is not None
