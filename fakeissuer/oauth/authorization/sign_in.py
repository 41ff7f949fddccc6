"""Who it is that signs in on a page: a user who is picked, or one who is typed with a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fakeissuer.model.registry import Registry
from fakeissuer.model.users import User

_MAX_LOGIN_LENGTH = 200

_LINE_END = re.compile(r"\r\n?|\n")


def user_of(directory: Registry, form: Mapping[str, str]) -> User | None:
    """Return the user whom a form names, None if there is none or the password is wrong.

    A login that nobody registered is made up, as everywhere in the fake issuer; its password is the one of all.
    """
    if "choice" in form:
        # A browser sends any line end within a value as CR LF, so that a login of two lines comes back as another one.
        picked = _LINE_END.sub("\n", form["choice"])
        return next((user for user in directory.users.values() if _LINE_END.sub("\n", user.login) == picked), None)
    login = form.get("username", "").strip()
    if not 0 < len(login) <= _MAX_LOGIN_LENGTH:
        return None
    user = directory.user(login)
    return user if user.has_password(form.get("password", "")) else None
