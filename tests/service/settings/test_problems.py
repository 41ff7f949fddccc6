from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import pytest

from service.errors import SettingsError
from service.settings.program import Settings

ISSUER = "https://sso.example.com/realms/one"
KEYS = "https://keys.example/jwks"
CLIENT: dict[str, Any] = {"client_id": "service", "client_secret": "secret"}

PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "two sources of keys": ({"jwks_uri": KEYS, "keys_file": "none.json"}, "set together with jwks_uri"),
    "a missing file": ({"keys_file": "none.json"}, r"keys_file: none\.json: no such file"),
    "a folder": ({"keys_file": "."}, r"keys_file: \.: it is not a file"),
    "a file of another kind": ({"keys_file": __file__}, "keys_file: .*expected a JWK Set in JSON"),
    "an endpoint without a client": ({"introspection_endpoint": KEYS}, "client_id is not"),
    "a name without metadata": (
        {"issuer": "acme.com", "jwks_uri": KEYS, **CLIENT},
        "acme.com is not an https URL.*set introspection_endpoint",
    ),
    "a name without keys": (
        {"issuer": "acme.com", "introspection_endpoint": KEYS, **CLIENT},
        "acme.com is not an https URL.*set jwks_uri or keys_file",
    ),
}


@pytest.mark.parametrize(("settings", "problem"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_place_that_cannot_be_used_is_rejected_at_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises((pydantic.ValidationError, SettingsError), match=problem):
        Settings(**{"issuer": ISSUER, "audience": ("a",), "profile": "generic", **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"jwks_uri": KEYS, "introspection_endpoint": KEYS},
        {"metadata_url": KEYS},
        {"introspection_endpoint": KEYS, "validation": "introspection"},
    ],
)
def test_a_name_with_a_place_for_everything_is_accepted(settings: dict[str, Any]) -> None:
    assert Settings(**{"issuer": "acme.com", "audience": ("a",), **CLIENT, **settings}).trusted_issuers


def test_a_file_that_breaks_later_does_not_make_the_settings_unusable(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}')
    settings = Settings(issuer=ISSUER, audience=("a",), keys_file=str(file))
    file.unlink()
    assert str(file) == settings.trusted_issuers[0].locations.keys_file
