"""Thumbor; the lines that protect it are those of docs/how-to/existing-app.rst."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import tornado.web
from foreign_applications import ServedApplication
from thumbor.app import ThumborServiceApp
from thumbor.config import Config
from thumbor.context import Context, ServerParameters
from thumbor.importer import Importer

from service import ResourceServerApplication, Settings, protect, protected


def make_protected(context: Context) -> tuple[tornado.web.Application, ResourceServerApplication]:
    application = ThumborServiceApp(context)
    guard = protect(application, Settings(), wrap=protected(scopes="images:use"))
    return application, guard


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


@pytest.fixture
def make_context(tmp_path: Path) -> Iterator[Callable[[], Context]]:
    contexts = []

    def make() -> Context:
        config = Config(
            FILE_LOADER_ROOT_PATH=str(tmp_path),
            FILE_STORAGE_ROOT_PATH=str(tmp_path / "uploads"),
            LOADER="thumbor.loaders.file_loader",
            UPLOAD_ENABLED=True,
            USE_BLACKLIST=True,
        )
        importer = Importer(config)
        importer.import_modules()
        server = ServerParameters(0, "127.0.0.1", None, None, "info", None)
        server.security_key = "secret"
        contexts.append(Context(server, config, importer))
        return contexts[-1]

    yield make
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def served(serve: Any, make_context: Callable[[], Context]) -> ServedApplication:
    unprotected = ThumborServiceApp(make_context())
    served: ServedApplication = serve(*make_protected(make_context()), scope="images:use", unprotected=unprotected)
    return served


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (40, 20), "red").save(file, "PNG")
    (tmp_path / "red.png").write_bytes(file.getvalue())
    return file.getvalue()


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert {"/healthcheck", "/image", "/image/", "/blacklist"} < served.paths.keys()
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    assert {"/image": "method_not_allowed", "/image/": "not_found"}.items() <= (await served.check_pages()).items()


@pytest.mark.gen_test
async def test_a_good_token_resizes_a_picture(served: ServedApplication, picture: bytes) -> None:
    response = await served.call("/unsafe/10x5/red.png")
    assert (200, "image/png") == (response.code, response.headers["Content-Type"])
    assert (10, 5) == PIL.Image.open(io.BytesIO(response.body)).size
    assert "private" in response.headers["Cache-Control"]
    assert "public" not in response.headers["Cache-Control"]
    assert 401 == (await served.fetch(f"{served.url}/unsafe/10x5/red.png")).code
    assert 404 == (await served.call("/unsafe/10x5/blue.png")).code
    assert 400 == (await served.call("/unsigned/10x5/red.png")).code


@pytest.mark.gen_test
async def test_a_good_token_uploads_a_picture(served: ServedApplication, picture: bytes) -> None:
    fields = {"Content-Type": "image/png", "Slug": "red.png"}
    assert 401 == (await served.fetch(f"{served.url}/image", "POST", body=picture, headers=fields)).code
    response = await served.call("/image", "POST", data=picture, **fields)
    assert 201 == response.code
    assert picture == (await served.call(response.headers["Location"])).body
    assert 401 == (await served.fetch(served.url + response.headers["Location"])).code
