"""The settings of a deployment, read as the service reads them."""

from __future__ import annotations

import secrets as secrets_module
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.settings.program import Settings
from service.settings.sources import load_settings


def load(environment: Mapping[str, str], *, secrets: str, folder: Path) -> Settings:
    """Return the settings in an environment, with made-up secrets in place of the files below a path.

    Raises:
        SettingsError: The service would not start.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in environment.items():
            if value.startswith(secrets):
                file = folder / value.removeprefix(secrets)
                file.write_text(secrets_module.token_hex(32))
                patch.setenv(name, str(file))
            else:
                patch.setenv(name, value)
        return load_settings({}).settings
