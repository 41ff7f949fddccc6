from __future__ import annotations

import inspect

from service import errors


def test_the_documented_class_tree_is_complete() -> None:
    documented = {line.split("──")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "──" in line} | {
        "ServiceError"
    }
    defined = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.ServiceError)
    }
    assert documented == defined


def test_issuer_unavailable_is_not_a_token_error() -> None:
    assert [errors.ServiceError] == [
        kind
        for kind in errors.IssuerUnavailable.__mro__
        if kind in errors.TokenError.__mro__ and kind.__module__ == errors.__name__
    ]


def test_an_error_message_has_reason_and_detail() -> None:
    error = errors.InvalidToken(errors.Reason.EXPIRED, "3 s ago", claim="exp")
    assert ("expired: 3 s ago", "exp") == (str(error), error.claim)
    assert "expired" == str(errors.InvalidToken(errors.Reason.EXPIRED))


def test_a_settings_error_shows_no_password_and_obeys_no_escape_sequence() -> None:
    error = errors.SettingsError(["a: was 'https://alice:hunter2@b'\nthe second line", "c: was \x9b2J\u202e"])
    assert ("a: was 'https://(hidden)@b'\nthe second line", "c: was \\x9b2J\\u202e") == error.problems
    assert "\n".join(error.problems) == str(error)
