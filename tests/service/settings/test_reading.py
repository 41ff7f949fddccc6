from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service import Settings, SettingsError

OKTA = "https://dev-123456.okta.com/oauth2/default"
ORG = "https://dev-123456.okta.com"

Write = Callable[[str | bytes], Path]


pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file and returns its path."""

    def writing(content: str | bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writing


def test_keywords_alone_read_neither_environment_nor_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".okta.env").write_text("SERVICE_PORT=1\n")
    monkeypatch.setenv("SERVICE_PORT", "2")
    monkeypatch.setenv("SERVICE_MISSPELT", "2")
    settings = Settings.from_keywords(issuer=OKTA, leeway=3)
    assert (OKTA, 8080, 3.0) == (settings.issuer, settings.port, settings.leeway)
    assert 8080 == settings.model_copy(update={"leeway": 4}).port


def test_a_toml_file_is_below_the_environment_and_the_keywords(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'issuer = "{OKTA}"\nleeway = 1\nport = 1\nrealm = "toml"\n')
    monkeypatch.setenv("SERVICE_LEEWAY", "2")
    monkeypatch.setenv("SERVICE_PORT", "2")
    settings = Settings.from_toml(path, port=3)
    assert ("toml", 2.0, 3) == (settings.realm, settings.leeway, settings.port)
    assert settings == Settings.from_toml(str(path), port=3)


def test_the_env_file_is_below_the_environment_and_the_keywords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".okta.env").write_text(f"OKTA_OAUTH2_ISSUER={OKTA}\nSERVICE_LEEWAY=1\nSERVICE_PORT=1\nSERVICE_REALM=a")
    monkeypatch.setenv("SERVICE_LEEWAY", "2")
    monkeypatch.setenv("SERVICE_PORT", "2")
    settings = Settings.from_env_file(port=3)
    assert ("a", 2.0, 3) == (settings.realm, settings.leeway, settings.port)
    assert settings == Settings.from_env_file(tmp_path / ".okta.env", port=3)


# The files in okta-samples at GitHub and those that `okta start` and `okta apps create` write.
SAMPLES = {
    "okta-flask-api-sample": f"ISSUER={OKTA}\nCLIENT_ID=0oa1",
    "okta-spring-boot-sample": f"ISSUER={OKTA}\nCLIENT_ID=0oa1\nCLIENT_SECRET=hush\n",
    "okta-micronaut-sample": f"export ISSUER={OKTA}\nexport CLIENT_ID=0oa1\nexport CLIENT_SECRET=hush\n",
    "okta-express-sample": f"ORG_URL={ORG}\nCLIENT_ID=0oa1\nCLIENT_SECRET=hush",
    "okta-go-api-sample": f'OKTA_OAUTH2_ISSUER="{OKTA}"\nOKTA_OAUTH2_CLIENT_ID="0oa1"\n',
    "okta-go-gin-sample": (
        f'OKTA_OAUTH2_ISSUER="{OKTA}"\nOKTA_OAUTH2_CLIENT_ID="0oa1"\nOKTA_OAUTH2_CLIENT_SECRET="hush"\n'
    ),
    "okta apps create": (
        f'export OKTA_OAUTH2_ISSUER="{OKTA}"\nexport OKTA_OAUTH2_CLIENT_SECRET="hush"\n'
        'export OKTA_OAUTH2_CLIENT_ID="0oa1"\n'
    ),
}


@pytest.mark.parametrize("content", SAMPLES.values(), ids=SAMPLES)
def test_the_env_file_of_oktas_samples_is_read(content: str, write: Write) -> None:
    settings = Settings.from_env_file(write(content))
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    assert (OKTA, "0oa1", "hush" if "hush" in content else None) == (settings.issuer, settings.client_id, secret)


def test_the_placeholder_of_a_sample_is_explained(write: Write) -> None:
    with pytest.raises(SettingsError, match="placeholder"):
        Settings.from_env_file(write("ISSUER=https://{yourOktaDomain}/oauth2/default\nCLIENT_ID={yourOktaClientID}"))


def test_a_name_of_the_environment_takes_precedence_over_one_of_the_samples(write: Write) -> None:
    path = write(f"ISSUER=https://other.okta.com/oauth2/default\nOKTA_ISSUER={OKTA}\nCLIENT_ID=a\nOKTA_CLIENT_ID=b\n")
    settings = Settings.from_env_file(path)
    assert (OKTA, "b") == (settings.issuer, settings.client_id)


def test_the_names_of_the_samples_are_not_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(name, "https://other-program.example")
    settings = Settings(issuer=OKTA)
    assert (OKTA, None, None) == (settings.issuer, settings.client_id, settings.client_secret)
    with pytest.raises(SettingsError, match="issuer: is not set"):
        Settings()


def test_a_message_names_the_source_of_a_value(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'issuer = "{OKTA}"\nleeway = "long"\n')
    monkeypatch.setenv("SERVICE_PORT", "many")
    wrong: dict[str, Any] = {"processes": "few"}
    with pytest.raises(SettingsError) as rejection:
        Settings.from_toml(path, **wrong)
    starts = {problem.partition(";")[0] for problem in rejection.value.problems}
    assert {
        f"leeway (from {path}): was 'long'",
        "port (from environment): was 'many'",
        "processes: was 'few'",
    } == starts


def test_an_unknown_name_is_named_with_its_source(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'issuer = "{OKTA}"\nlewway = 1\n')
    monkeypatch.setenv("SERVICE_PROT", "1")
    wrong: dict[str, Any] = {"realmm": "a", "self": 1}
    with pytest.raises(SettingsError) as rejection:
        Settings.from_toml(path, **wrong)
    assert (
        f"{path}: there is no setting 'lewway'; did you mean 'leeway'?",
        "environment: there is no setting 'SERVICE_PROT'; did you mean 'SERVICE_PORT'?",
        "there is no setting 'realmm'; did you mean 'realm'?",
        "there is no setting 'self'",
    ) == rejection.value.problems


@pytest.mark.parametrize("read", [Settings.from_toml, Settings.from_env_file])
@pytest.mark.parametrize("path", ["missing", ".", "", "a\0b", "x" * 5000, "\udcff", "file/inside", "/proc/self/mem"])
def test_an_unreadable_file_is_a_settings_error(read: Callable[[str], Settings], path: str, write: Write) -> None:
    write("")
    with pytest.raises(SettingsError):
        read(path)


def test_a_missing_env_file_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"^\.okta\.env: No such file or directory$"):
        Settings.from_env_file()


def test_a_settings_error_has_no_error_of_a_library_as_its_cause(write: Write) -> None:
    wrong: dict[str, Any] = {"port": "many"}
    reads: list[Callable[[], Settings]] = [
        lambda: Settings(**wrong),
        lambda: Settings.from_keywords(**wrong),
        lambda: Settings.from_toml(write("issuer =")),
        lambda: Settings.from_env_file(write("issuer")),
        lambda: Settings.from_toml(write(b"\xff")),
        lambda: Settings.from_keywords(issuer=OKTA).model_copy(update=wrong),
        lambda: Settings.model_validate(wrong),
    ]
    for read in reads:
        with pytest.raises(SettingsError) as rejection:
            read()
        assert rejection.value.__suppress_context__
        assert rejection.value.__cause__ is None


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.dates() | st.just(object()) | st.just("\ud800")
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@example(name="port", value=10**5000)
@example(name="issuers", value=[{"issuer": OKTA}, {1: 2, "a": 3}])
@example(name="issuers", value=[{"issuer": "https://[::1"}])
@example(name="org_url", value="https://[::1")
@example(name="http_proxy", value="http://a:b")
@example(name="ca_file", value="\udcff")
@example(name="client_secret_file", value="\0")
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(Settings.model_fields)), value=VALUES)
def test_any_value_of_any_setting_is_accepted_or_a_settings_error(name: str, value: object) -> None:
    values: dict[str, Any] = {"issuer": OKTA, name: value}
    for read in (Settings, Settings.from_keywords):
        with contextlib.suppress(SettingsError):
            read(**values)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(alphabet="aA=\"[]{}\n.#'1-_", max_size=60).map(str.encode))
def test_any_content_of_a_file_is_accepted_or_a_settings_error(content: bytes, write: Write) -> None:
    path = write(content)
    for read in (Settings.from_toml, Settings.from_env_file):
        with contextlib.suppress(SettingsError):
            read(path, issuer=OKTA)
