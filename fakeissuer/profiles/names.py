"""The profiles by name; each module is imported when its profile is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Literal, get_args

from fakeissuer.profiles.profile import Profile

ProfileName = Literal[
    "okta",
    "strict-rfc",
    "adfs",
    "auth0",
    "authentik",
    "cognito",
    "entra",
    "entra-v1",
    "google",
    "hydra",
    "keycloak",
    "zitadel",
]

PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)

_MODULES: dict[ProfileName, str] = {"strict-rfc": "okta", "entra-v1": "entra"}


def profile_named(name: ProfileName) -> Profile:
    """Return the profile of that name."""
    module = import_module(f"fakeissuer.profiles.{_MODULES.get(name, name)}")
    profile: Profile = module.PROFILES[name]
    return profile
