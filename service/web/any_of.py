"""The word for a demand that one of several things meets, where a list means all of them."""

from __future__ import annotations

__all__ = ["AnyOf"]


class AnyOf:
    """One of these is enough: ``scopes = AnyOf("things:read", "things:admin")``.

    Args:
        values: At least one; the one that clients should ask for first.

    Raises:
        ValueError: There is none, so that nobody could ever meet the demand.
    """

    __slots__ = ("values",)

    def __init__(self, *values: object) -> None:
        if not values:
            raise ValueError("AnyOf() names nothing that would be enough; name at least one thing")
        self.values = values

    def __repr__(self) -> str:
        return f"AnyOf{self.values!r}"
