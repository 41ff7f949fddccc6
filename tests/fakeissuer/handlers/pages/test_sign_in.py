from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handlers.pages.sign_in import PageHandler
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.sessions import Session


@pytest.mark.parametrize("method", [PageHandler.render_page, PageHandler.submit])
def test_a_page_that_lacks_a_part_says_so(method: Callable[..., Any]) -> None:
    with pytest.raises(NotImplementedError):
        method(object.__new__(PageHandler), Session())


@pytest.mark.parametrize("page", ["signin", "consent", "activate", "approve"])
def test_what_is_no_form_is_refused_as_a_form_of_another_site_is(
    page: str, fake_issuer: RunningIssuer, ask: Callable[..., Any]
) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="\u0436"\r\n\r\n1\r\n'
    fields = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = ask(f"{fake_issuer.url}/{page}", "POST", body=f"{part * 2}--b--\r\n".encode(), headers=fields)
    assert 400 <= answer.status < 404
