"""Types of settings that are lists of texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def split_list(value: object) -> object:
    """Split a comma-separated list from the environment, and strip the spaces around each item."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _check_not_empty(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts or not all(texts):  # an empty list of clients would be read as all clients
        raise ValueError("the list or an item of it is empty; name each accepted value, or leave the setting out")
    return texts


Texts = Annotated[tuple[str, ...], BeforeValidator(split_list)]
AcceptedTexts = Annotated[Texts, AfterValidator(_check_not_empty)]
