from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from service.settings.files import check_ca_file, read_env_file, read_secret_file, read_text, read_toml, show_path

TEXT = 'SERVICE_REALM="käse"\n'

PEM = "-----BEGIN {} KEY-----\nMIIE".format("PRIVATE")  # in two parts, since a hook searches for private keys


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(TEXT, encoding)
    assert TEXT == read_text(file)
    assert {"SERVICE_REALM": "käse"} == read_env_file(file) == read_toml(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
@pytest.mark.parametrize("read", [read_env_file, read_toml])
def test_another_encoding_is_named_in_one_line(
    encoding: str, read: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text(TEXT, encoding)
    with pytest.raises(ValueError, match="save the file in UTF-8") as rejection:
        read(file)
    assert f"{file}: not UTF-8 text; save the file in UTF-8" == str(rejection.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "Is a directory"),
        ("missing", "missing: No such file or directory"),
        ("/proc/self/mem", "mem: Input/output error"),
        ("a\0b", "no such file"),
        ("x" * 300, "(not a path): File name too long"),
        (PEM, "(not a path): No such file"),
    ],
)
def test_an_unreadable_file_is_named_in_one_line(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as rejection:  # noqa: PT011  # the message is compared below
        read_text(path)
    assert message in str(rejection.value)
    assert 1 == len(str(rejection.value).splitlines())


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("SERVICE_VALIDATION: jwt", 1),
        ("SERVICE_VALIDATION jwt", 1),
        ("SERVICE_ADMIN_TOKEN:hunter2", 1),
        ("SERVICE_ADMIN_TOKEN", 1),
        ("A=1\n\n# a comment\nSERVICE_ADMIN_TOKEN: hunter2\nB=2", 4),
        ('SERVICE_ADMIN_TOKEN="hunter2', 1),
    ],
)
def test_a_line_of_another_form_is_named_without_its_content(line: str, number: int, tmp_path: Path) -> None:
    file = tmp_path / ".okta.env"
    file.write_text(line + "\n")
    with pytest.raises(ValueError) as rejection:  # noqa: PT011  # the message is compared below
        read_env_file(file)
    assert f"{file}: line {number}: expected NAME=value" == str(rejection.value)


def test_a_variable_with_two_values_is_ambiguous(tmp_path: Path) -> None:
    file = tmp_path / ".okta.env"
    file.write_text("SERVICE_ALLOWED_CLIENT_IDS=a\nB=1\nB=1\n\nSERVICE_ALLOWED_CLIENT_IDS=\n")
    with pytest.raises(ValueError, match=r"line 5: SERVICE_ALLOWED_CLIENT_IDS has another value above"):
        read_env_file(file)


def test_an_env_file_may_have_comments_quotes_and_exports(tmp_path: Path) -> None:
    file = tmp_path / ".okta.env"
    file.write_text("# a comment\nexport A=1\nB='two words'\nC=\n")
    assert {"A": "1", "B": "two words", "C": ""} == read_env_file(file)


@pytest.mark.parametrize("text", ["client_secret = hunter2", "a = [", "[" * 100_000, "a = 1\na = 2", "a" * 5000])
def test_malformed_toml_is_one_line_without_the_value(text: str, tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"service\.toml: not valid TOML: ") as rejection:
        read_toml(file)
    assert 1 == len(str(rejection.value).splitlines())
    assert "hunter2" not in str(rejection.value)


def test_the_secret_in_a_file_may_follow_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\r\n", "utf-8-sig")
    assert "hush" == read_secret_file({"x_file": str(tmp_path / "secret")}, "x")["x"]


@pytest.mark.parametrize("path", [5, ["secret"], None, ""])
def test_a_path_of_another_type_is_left_to_the_type_check(path: object) -> None:
    assert {"x_file": path} == read_secret_file({"x_file": path}, "x")


def test_a_ca_file_must_contain_a_certificate(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    assert str(file) == check_ca_file(str(file))
    file.write_text("no certificate")
    for path, message in (
        (str(file), f"{file} contains no certificate in PEM"),
        (str(tmp_path / "missing"), f"{tmp_path / 'missing'}: No such file or directory"),
        (str(tmp_path), str(tmp_path)),
        ("", ""),
        ("a\0b", "(not a path): no such file"),
    ):
        with pytest.raises(ValueError) as rejection:  # noqa: PT011  # the message is compared below
            check_ca_file(path)
        assert message in str(rejection.value)


def test_only_a_path_is_shown() -> None:
    assert "/etc/service.toml" == show_path("/etc/service.toml")
    assert "(not a path)" == show_path(PEM) == show_path("x" * 201)
