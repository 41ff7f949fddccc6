"""JSON that nobody changes: the claims of a token are remembered, and shared by every request that brings it."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["freeze_members"]


def freeze_members(document: dict[str, Any]) -> None:
    """Put in place of each list and each object in a JSON object one that cannot be changed, however deep.

    They are still a list and a dict to whoever reads them or writes them out; a copy can be changed.
    """
    for name, value in document.items():
        if isinstance(value, list | dict):
            document[name] = _freeze(value)


def _freeze(value: Any) -> Any:
    if isinstance(value, list):
        return _FrozenList(map(_freeze, value))
    if isinstance(value, dict):
        return _FrozenDict((name, _freeze(one)) for name, one in value.items())
    return value


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
