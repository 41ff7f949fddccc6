from __future__ import annotations

import inspect

from service import errors


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = {line.split("──")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "──" in line} | {
        "ServiceError"
    }
    declared = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.ServiceError)
    }
    assert drawn == declared


def test_an_issuers_trouble_is_never_caught_as_a_clients_mistake() -> None:
    assert [errors.ServiceError] == [
        kind
        for kind in errors.IssuerUnavailable.__mro__
        if kind in errors.TokenError.__mro__ and kind.__module__ == errors.__name__
    ]


def test_a_refusal_says_its_reason_and_its_detail() -> None:
    error = errors.InvalidToken(errors.Reason.EXPIRED, "3 s ago", claim="exp")
    assert ("expired: 3 s ago", "exp") == (str(error), error.claim)
    assert "expired" == str(errors.InvalidToken(errors.Reason.EXPIRED))
