"""The user of a sign-in form: one of the listed users, or a user name with a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fakeissuer.model.registry import Registry
from fakeissuer.model.users import User

_MAX_LOGIN_LENGTH = 200

_LINE_END = re.compile(r"\r\n?|\n")


def user_of(registry: Registry, form: Mapping[str, str]) -> User | None:
    """Return the user of a sign-in form, or None if it names no user or the password is wrong.

    A login that is not registered becomes a generated user, with the default password.
    """
    if "choice" in form:
        # Browsers send every line end as CR LF, so a login with a line end comes back changed.
        picked = _LINE_END.sub("\n", form["choice"])
        return next((user for user in registry.users.values() if _LINE_END.sub("\n", user.login) == picked), None)
    login = form.get("username", "").strip()
    if not 0 < len(login) <= _MAX_LOGIN_LENGTH:
        return None
    user = registry.user(login)
    return user if user.has_password(form.get("password", "")) else None
