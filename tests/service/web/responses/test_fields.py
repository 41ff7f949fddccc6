from __future__ import annotations

from tornado.httputil import HTTPHeaders

from service.web.responses.fields import copy_fields


def test_a_copy_has_all_values_without_white_space_around_them() -> None:
    fields = HTTPHeaders()
    fields["Access-Control-Allow-Methods"] = " PUT, DELETE\t"
    fields.add("Link", "</a>")
    fields.add("Link", "</b>")
    copied = copy_fields(fields)
    expected = [("Access-Control-Allow-Methods", "PUT, DELETE"), ("Link", "</a>"), ("Link", "</b>")]
    assert expected == list(copied.get_all())
    copied["X-Own"] = "1"
    assert "X-Own" not in fields
