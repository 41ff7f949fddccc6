"""Tests that the documents are valid reST and that their code blocks run."""

from __future__ import annotations

import doctest
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from programs import LOG_PIPE_SIZE, listening

from fakeissuer import RunningIssuer
from service import Settings, __version__, make_app
from service.settings.names import environment_names
from service.settings.sources import load_settings

ROOT = Path(__file__).parents[2]
# Pages with directives of Sphinx, or with another file in them, are for the site alone; its build checks them.
FOR_THE_SITE = re.compile(r"^\.\. (auto\w+|include|literalinclude|toctree)::", re.MULTILINE)
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.rst"), *ROOT.glob("docs/**/*.rst")]
    if not FOR_THE_SITE.search(path.read_text("utf-8"))
)


def _read(path: Path) -> docutils.nodes.document:
    settings = {"halt_level": 2, "report_level": 2, "input_encoding": "utf-8", "file_insertion_enabled": False}
    return docutils.core.publish_doctree(path.read_text("utf-8"), source_path=str(path), settings_overrides=settings)


def _blocks(language: str, document: str = "README.rst") -> dict[str, str]:
    """Return the code blocks of a document in one language, by name and in order."""
    blocks = [
        node for node in _read(ROOT / document).findall(docutils.nodes.literal_block) if language in node["classes"]
    ]
    return {(node["names"] or [str(number)])[0]: node.astext() for number, node in enumerate(blocks)}


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return environment | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def _start(*command: str, **options: object) -> tuple[subprocess.Popen[str], str]:
    process: subprocess.Popen[str] = subprocess.Popen(
        command, stderr=subprocess.PIPE, pipesize=LOG_PIPE_SIZE, text=True, **options
    )  # type: ignore[call-overload]  # the options are Popen's
    return process, listening(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert 0 == process.returncode


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_valid(path: Path) -> None:
    _read(path)


def test_each_image_exists_is_used_and_has_a_text_alternative() -> None:
    shown = [(path, image) for path in DOCUMENTS for image in _read(path).findall(docutils.nodes.image)]
    images = {*ROOT.glob("docs/images/*"), *ROOT.glob("docs/benchmarks/*.png")}
    assert {(path.parent / image["uri"]).resolve() for path, image in shown} == images
    assert all(image.get("alt") for _, image in shown)


@pytest.fixture
def demonstration(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Run the README's first command on free ports, and yield the URLs of the API and of the fake issuer."""
    command = [sys.executable, "-m", "service", "--demo", "--port", "0", "--issuer-port", "0"]
    process, api = _start(*command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    issuer = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
    yield api, issuer
    _stop(process)


def test_the_curl_commands_of_the_readme_print_what_it_shows(
    demonstration: tuple[str, str], environment: dict[str, str]
) -> None:
    console = next(iter(_blocks("console").values()))
    api, issuer = demonstration
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", console, re.MULTILINE)
    assert 3 == len(steps)
    for command, output in steps:
        line = command.replace("http://127.0.0.1:8080", api).replace(
            "fakeissuer token", f"fakeissuer token --issuer {issuer}"
        )
        expected = output.strip().replace("http://127.0.0.1:9400", issuer)
        done = subprocess.run(["sh", "-c", f"{line} -sS"], env=environment, capture_output=True, text=True, check=True)  # noqa: S607
        assert doctest.OutputChecker().check_output(expected, done.stdout.strip(), doctest.ELLIPSIS), done.stdout


def test_the_handlers_of_the_readme_check_tokens(
    fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "things.py").write_text(_blocks("python")["things.py"])
    environment |= {"OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url(), "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "service", "--port", "0", "--routes", "things:ROUTES"]
    process, api = _start(*command, env=environment)
    for token, path, status in [
        (fake_issuer.token(scp="api:read"), "/things", "200"),
        (fake_issuer.token(scp="api:write"), "/things", "403"),
        ("invalid", "/hello", "200"),
    ]:
        curl = [
            "curl",
            "-sS",
            "-o",
            os.devnull,
            "-w",
            "%{http_code}",
            "-H",
            f"Authorization: Bearer {token}",
            api + path,
        ]
        assert status == subprocess.run(curl, capture_output=True, text=True, check=True).stdout
    _stop(process)


def test_the_program_of_the_readme_listens(
    fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    program = _blocks("python")["things.py"]
    program = program.replace('.listen(8080, "127.0.0.1")', '.listen(0, "127.0.0.1"); print("listening")')
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment | {"OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url()},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "listening\n" == process.stdout.readline()
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("unittest test_things.py", "Ran 2 tests"),
        ("pytest -p no:tornado -p no:cacheprovider test_things_anyio.py", "2 passed"),
    ],
    ids=["unittest", "anyio"],
)
def test_a_test_of_the_readme_passes(command: str, result: str, environment: dict[str, str], tmp_path: Path) -> None:
    assert any(
        f"python -m {command.replace(' -p no:tornado -p no:cacheprovider', '')}" in text
        for text in _blocks("sh").values()
    )
    for name, code in _blocks("python").items():
        (tmp_path / name).write_text(code)
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *command.split()],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    assert result in done.stdout + done.stderr


@pytest.mark.parametrize("document", ["README.rst", "docs/how-to/validators.rst", "docs/how-to/token-kinds.rst"])
@pytest.mark.gen_test
async def test_an_application_starts_with_the_configuration_of_the_page(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toml,) = _blocks("toml", document).values()
    (tmp_path / "service.toml").write_text(toml)
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", "s" * 32)
    make_app(load_settings({}, config_file=tmp_path / "service.toml").settings)


def test_the_validator_of_the_page_is_that_of_the_tested_example() -> None:
    (shown,) = _blocks("python", "docs/how-to/validators.rst").values()
    assert shown in (ROOT / "examples" / "internal_tokens.py").read_text("utf-8")


def test_the_variables_of_the_readme_are_settings() -> None:
    readme = (ROOT / "README.rst").read_text("utf-8")
    named = set(re.findall(r"``((?:OKTA|SERVICE|ORG)_[A-Z0-9_]+)``", readme))
    assert named
    assert named <= {name for item in Settings.model_fields.items() for name in environment_names(*item)}


def test_the_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.rst").read_text("utf-8")
    assert f"\n{__version__}" in changelog or "\nUnreleased\n" in changelog
