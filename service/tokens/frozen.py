"""JSON that nobody changes: the claims of a token are remembered, and shared by every request that brings it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


def freeze(document: dict[str, Any]) -> Mapping[str, Any]:
    """Return a JSON object that cannot be changed, however deep.

    Each list and each object in it is still a list and a dict to whoever reads it or writes it out; a copy can be
    changed.
    """
    return _FrozenDict((name, _freeze(value)) for name, value in document.items())


def _freeze(value: Any) -> Any:
    if isinstance(value, list):
        return _FrozenList(map(_freeze, value))
    return freeze(value) if isinstance(value, dict) else value


def _refuse(*_: object, **__: object) -> NoReturn:
    # A handler that could, would let in by its own words whoever brings that token next, to any other handler.
    raise TypeError("claims cannot be changed, since other requests see them too; change a copy")


class _FrozenList(list[Any]):
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)


class _FrozenDict(dict[str, Any]):
    clear = pop = popitem = setdefault = update = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)
