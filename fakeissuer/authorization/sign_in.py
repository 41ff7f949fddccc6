"""Who it is that signs in on a page: a user who is picked, or one who is typed with a password."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from fakeissuer.directory import Directory
from fakeissuer.entries import User

LONGEST_LOGIN = 200


def user_of(directory: Directory, form: Mapping[str, str]) -> User | None:
    """Return the user whom a form names, None if there is none or the password is wrong.

    A login that nobody registered is made up, as everywhere in the fake issuer; its password is the one of all.
    """
    if "pick" in form:
        return directory.users.get(form["pick"])
    login = form.get("username", "").strip()
    if not 0 < len(login) <= LONGEST_LOGIN:
        return None
    user = directory.user(login)
    return user if hmac.compare_digest(user.password.encode(), form.get("password", "").encode()) else None
