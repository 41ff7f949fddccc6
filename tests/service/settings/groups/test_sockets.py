from __future__ import annotations

import pytest

from service.errors import SettingsError
from service.settings.program import Settings
from service.settings.types import unix_path

OKTA = "https://dev-123456.okta.com/oauth2/default"


@pytest.mark.parametrize(("mode", "permissions"), [("0660", 0o660), ("660", 0o660), ("0600", 0o600), ("777", 0o777)])
def test_permissions_are_octal_digits(mode: str, permissions: int) -> None:
    assert permissions == Settings(issuer=OKTA, unix_socket_mode=mode).unix_socket_permissions


@pytest.mark.parametrize("mode", ["", "0o660", "rw-rw----", "688", "1777", "66", "-660", "٦٦٠"])
def test_other_permissions_are_rejected(mode: str) -> None:
    with pytest.raises(SettingsError, match="octal digits, such as 0660"):
        Settings(issuer=OKTA, unix_socket_mode=mode)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ü", "x" * 256, "a\n"])
def test_a_name_that_systemd_cannot_set_is_rejected(name: str) -> None:
    with pytest.raises(SettingsError, match="FileDescriptorName"):
        Settings(issuer=OKTA, systemd_socket=name)


@pytest.mark.parametrize("address", ["unix:/run/api/api.sock", "unix:/" + "x" * 106])
def test_a_unix_socket_is_an_address(address: str) -> None:
    settings = Settings(issuer=OKTA, address=address)
    assert (address, False) == (settings.address, settings.has_admin_port)
    assert Settings(issuer=OKTA, admin_address=address).has_admin_port
    assert address.removeprefix("unix:") == unix_path(address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("unix:", "an absolute path"),
        ("unix:api.sock", "an absolute path"),
        ("unix:@abstract", "an absolute path"),
        ("unix:/run/", "an absolute path"),
        ("unix:/a\0b", "an absolute path"),
        ("unix:/a\nb", "an absolute path"),
        ("unix:/" + "x" * 107, "at most 107 bytes, but this one has 108"),
        ("unix:/" + "ü" * 54, "at most 107 bytes, but this one has 109"),
        ("UNIX:/run/api.sock", "or unix:/path for a Unix socket"),
    ],
)
def test_another_path_of_a_unix_socket_is_rejected(address: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(issuer=OKTA, address=address)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"address": "unix:/run/a.sock", "admin_address": "unix:/run/a.sock"}, "admin_address"),
        ({"systemd_socket": "admin"}, "admin_systemd_socket"),
    ],
)
def test_the_api_and_the_admin_port_share_no_socket(values: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: is .* of its own"):
        Settings(issuer=OKTA, **values)  # type: ignore[arg-type]  # each is a text
