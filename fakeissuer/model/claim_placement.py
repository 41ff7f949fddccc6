"""Where a server puts a claim about a user: the access token, the ID token, userinfo, and for which scopes."""

from __future__ import annotations

from typing import Literal

from fakeissuer.model.records import Name, Record


class ClaimPlacement(Record, frozen=True, kw_only=True):
    """The placement of one claim, by its name in ``claim_placement`` of a server.

    An ID token that is requested with an access token or a code has the claim only if ``id_token`` is ``always``.
    The claim is left out unless one of ``scopes`` was granted; without ``scopes`` it needs none.
    """

    access_token: bool = True
    id_token: Literal["always", "on_request"] = "on_request"  # noqa: S105  # a placement
    userinfo: bool = True
    scopes: tuple[Name, ...] = ()


DEFAULT_PLACEMENT = ClaimPlacement()
GROUPS_PLACEMENT = ClaimPlacement(scopes=("groups",))
"""The placement of ``groups`` unless the server has another one."""
