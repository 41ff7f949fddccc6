from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from service.settings.profiles.texts import AcceptedTexts, Texts


@pytest.mark.parametrize("value", ["a, b", ["a", "b"], ("a", "b"), "a,,b,"])
def test_a_list_may_be_separated_by_commas(value: object) -> None:
    assert ("a", "b") == TypeAdapter(Texts).validate_python(value)


@pytest.mark.parametrize("value", ["", ",", [], ["a", ""]])
def test_a_list_of_accepted_values_is_not_empty(value: object) -> None:
    with pytest.raises(ValidationError, match="is empty"):
        TypeAdapter(AcceptedTexts).validate_python(value)
