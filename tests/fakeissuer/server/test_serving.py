from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fakeissuer import SettingsError, running
from fakeissuer.__main__ import _PROFILES
from fakeissuer.profiles.names import PROFILE_NAMES, ProfileName
from fakeissuer.server.serving import ServingOptions


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.1", "::", ""])
def test_an_exposed_address_requires_an_option_or_a_token(address: str) -> None:
    with pytest.raises(SettingsError, match="--insecure-any-address"):
        ServingOptions(address=address)
    assert ServingOptions(address=address, insecure_any_address=True)
    assert ServingOptions(address=address, control_token="t")


def test_an_issuer_on_all_addresses_has_a_loopback_url() -> None:
    with running(address="0.0.0.0", insecure_any_address=True) as issuer:
        assert issuer.url.startswith("http://127.0.0.1:")


def test_an_ipv6_address_is_in_brackets() -> None:
    try:
        with running(address="::1") as issuer:
            assert issuer.url.startswith("http://[::1]:")
    except SettingsError as exc:
        pytest.skip(f"no IPv6 here: {exc}")


def test_an_unwritable_ca_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--ca-file"), running(tls=True, ca_file=tmp_path / "no" / "ca.pem"):
        pass


def test_tls_needs_no_ca_file() -> None:
    with running(tls=True) as issuer:
        assert issuer.url.startswith("https://127.0.0.1:")


def test_an_unknown_profile_and_a_ca_file_without_tls_are_rejected(tmp_path: Path) -> None:
    options: dict[str, Any] = {"profile": "magic"}
    with pytest.raises(SettingsError, match="--profile"):
        ServingOptions(**options)
    with pytest.raises(SettingsError, match="--ca-file"):
        ServingOptions(ca_file=tmp_path)


def test_the_repr_of_options_omits_the_control_token() -> None:
    assert "hidden" not in repr(ServingOptions(control_token="hidden"))


@pytest.mark.parametrize("profile", ["keycloak", "cognito"])
def test_stored_keys_keep_the_ids_of_their_profile(tmp_path: Path, profile: ProfileName) -> None:
    key_sets = []
    for _ in range(2):
        with running(profile=profile, keys_file=tmp_path / "keys.json") as issuer:
            key_sets.append([(key["kid"], key.get("x5c")) for key in issuer.key_set()["keys"]])
    assert key_sets[0] == key_sets[1]


def test_the_command_line_has_every_profile() -> None:
    assert _PROFILES == PROFILE_NAMES
