from __future__ import annotations

from pathlib import Path

import pytest

from fakeissuer.__main__ import main
from fakeissuer.errors import SettingsError
from fakeissuer.server.config_file import configure, read_config
from fakeissuer.state.seed import seed

GOOD = """
[servers.orders]
audience = "api://orders"

[clients.another]
name = "another"
secret = "s"
grant_types = ["client_credentials"]

[users."carol@example.com"]
groups = ["Auditors"]
"""


def test_a_file_adds_to_the_initial_registry(tmp_path: Path) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text(GOOD)
    directory = seed("http://127.0.0.1:9400")
    configure(directory, read_config(file))
    assert directory.servers["orders"].audience == "api://orders"
    assert directory.clients["another"].grant_types == ("client_credentials",)
    assert directory.user("carol@example.com").groups == ("Auditors",)
    assert "alice@example.com" in directory.users


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x = ", "not TOML"),
        ("[user.x]", "user is not known"),
        ("users = 1", "table of tables"),
        ("[users]\nx = 1", "table of tables"),
        ("[users.x]\npassword = 1", "users.x"),
        ("[servers.v1]\naudience = 'a'", "servers.v1"),
        ("[clients.x]\nname = 'x'", "clients.x"),
        ("variants = 1", "variants"),
        ("[variants]\nunknown_client_status = 403", "unknown_client_status"),
        ("[servers.d]\naudience = 'a'\nclaims = {x = 2020-01-01}", r"servers\.d.*claims\.x holds a date"),
        ("[servers.d]\naudience = 'a'\nclaims = {x = inf}", r"servers\.d.*claims\.x holds a number"),
        ("[users.d]\nclaims = {x = '${user.emial}'}", r"users\.d.*user\.emial"),
        ("[users.d]\nclaims = {x = '${user.password}'}", r"users\.d.*user\.password"),
        ("[servers.d]\naudience = 'a'\npolicy = [{clients = ['x']}]", r"policy\[0\]\.clients names 'x'"),
        ("[servers.d]\naudience = 'a'\npolicy = [{}, {groups = ['x']}]", r"policy\[1\]\.groups names 'x'"),
        ("[clients.c]\nname = 'c'\nsecret = 's'\nredirect_uris = ['http://[bad:*']", r"clients\.c.*cannot be parsed"),
    ],
)
def test_an_invalid_file_is_rejected_with_the_problem(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=expected) as caught:
        configure(seed("http://127.0.0.1:9400"), read_config(file))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_config(tmp_path / "nowhere.toml")


def test_the_printed_configuration_is_the_initial_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    file = tmp_path / "issuer.toml"
    file.write_text(capsys.readouterr().out)
    seeded, emptied = seed("http://127.0.0.1:9400"), seed("http://127.0.0.1:9400")
    emptied.clients.clear()
    emptied.users.clear()
    configure(emptied, read_config(file))
    assert (emptied.clients, emptied.users) == (seeded.clients, seeded.users)
    assert emptied.servers == seeded.servers


def test_a_file_can_contain_policies_and_claims(tmp_path: Path) -> None:
    file = tmp_path / "issuer.toml"
    file.write_text("""
[servers.orders]
audience = "api://orders"
claims = { team = "${user.family_name}" }
[[servers.orders.policy]]
groups = ["Admins", "Auditors"]
clients = ["another"]
[clients.another]
name = "another"
secret = "s"
[users.carol]
groups = ["Auditors"]
""")
    directory = seed("http://127.0.0.1:9400")
    configure(directory, read_config(file))
    assert directory.servers["orders"].policy[0].groups == ("Admins", "Auditors")
