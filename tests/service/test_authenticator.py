from __future__ import annotations

import base64
import json

import pytest
import servers

from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, Reason, SettingsError
from service.tokens.credentials import Credentials
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal


class Stub:
    """A validator that accepts one token, rejects another, and is unavailable for a third."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.validated: list[str] = []
        self.closed = False

    async def validate(self, token: PresentedToken) -> Principal | None:
        self.validated.append(token.text)
        match token.text.removeprefix(f"{self.name}-"):
            case "valid":
                return Principal.from_claims({"iss": self.name, "exp": 1})
            case "invalid":
                raise InvalidToken(Reason.EXPIRED)
            case "unavailable":
                raise IssuerUnavailable(f"{self.name} is down")
        return None

    async def check_ready(self) -> None:
        if self.name == "down":
            raise IssuerUnavailable("down is down")

    async def close(self) -> None:
        self.closed = True


def _credentials(token: str) -> Credentials:
    return Credentials(scheme="Bearer", token=token)


@pytest.mark.gen_test
async def test_the_first_validator_that_does_not_return_none_decides(
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    a, b = Stub("a"), Stub("b")
    principal = await Authenticator(
        [a, b],
        token_cache=token_cache,
        deny_list=deny_list,
        binding=binding,
    ).authenticate(_credentials("b-valid"))
    assert "b" == principal.issuer
    assert ["b-valid"] == a.validated == b.validated


@pytest.mark.gen_test
async def test_a_cached_token_is_not_validated_again_after_a_poll_of_the_deny_list(
    token_cache: ValidatedTokenCache, clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache, validator = open_cache(server.url, clock=clock), Stub("a")
        authenticator = Authenticator(
            [validator],
            token_cache=token_cache,
            deny_list=DenyList(cache, clock=clock),
            binding=BindingCheck(cache, clock=clock),
        )
        principal = Principal.from_claims({"iss": "a", "exp": clock.now() + 60})
        token_cache.put("a-valid", ValidatedToken(principal, is_current=lambda: True))
        assert authenticator.get_cached(_credentials("a-valid")) is None  # the deny list is not fresh yet
        assert principal is await authenticator.authenticate(_credentials("a-valid"))
        assert principal is authenticator.get_cached(_credentials("a-valid"))
        assert [] == validator.validated
        await cache.close()


@pytest.mark.parametrize(("token", "error"), [("a-invalid", InvalidToken), ("a-unavailable", IssuerUnavailable)])
@pytest.mark.gen_test
async def test_after_an_error_no_other_validator_is_called(
    token: str,
    error: type[Exception],
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    b = Stub("b")
    with pytest.raises(error):
        await Authenticator(
            [Stub("a"), b],
            token_cache=token_cache,
            deny_list=deny_list,
            binding=binding,
        ).authenticate(_credentials(token))
    assert [] == b.validated


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("opaque", Reason.MALFORMED_TOKEN),
        ("e30.eyJpc3MiOiJ4In0.AA", Reason.UNKNOWN_ISSUER),
        ("a" * 20_000, Reason.TOO_LARGE),
    ],
)
@pytest.mark.gen_test
async def test_a_token_of_an_unknown_issuer_is_rejected(
    token: str,
    reason: Reason,
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        await Authenticator(
            [Stub("a")],
            token_cache=token_cache,
            deny_list=deny_list,
            binding=binding,
        ).authenticate(_credentials(token))
    assert reason is exc_info.value.reason


def test_an_authenticator_needs_a_validator(
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    with pytest.raises(SettingsError, match="there is no validator"):
        Authenticator(
            [],
            token_cache=token_cache,
            deny_list=deny_list,
            binding=binding,
        )


@pytest.mark.gen_test
async def test_readiness_requires_every_validator(
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    await Authenticator(
        [Stub("a"), Stub("b")], token_cache=token_cache, deny_list=deny_list, binding=binding
    ).check_ready()
    with pytest.raises(IssuerUnavailable, match="down"):
        await Authenticator(
            [Stub("a"), Stub("down")], token_cache=token_cache, deny_list=deny_list, binding=binding
        ).check_ready()


@pytest.mark.gen_test
async def test_closing_closes_every_validator(
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    validators = [Stub("a"), Stub("b")]
    await Authenticator(
        validators,
        token_cache=token_cache,
        deny_list=deny_list,
        binding=binding,
    ).close()
    assert all(validator.closed for validator in validators)


class IssuerStub(Stub):
    """A validator that names the issuer of its JWTs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.jwt_issuer = name


@pytest.mark.parametrize(
    ("issuer", "called"), [("a", ["first", "a", "last"]), ("b", ["first", "b", "last"]), ("c", ["first", "last"])]
)
@pytest.mark.gen_test
async def test_a_jwt_is_given_to_the_validators_of_its_issuer_and_of_any_issuer_in_their_order(
    issuer: str,
    called: list[str],
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    validators = [Stub("first"), IssuerStub("a"), IssuerStub("b"), Stub("last")]
    authenticator = Authenticator(
        validators,
        token_cache=token_cache,
        deny_list=deny_list,
        binding=binding,
    )
    with pytest.raises(InvalidToken):
        await authenticator.authenticate(_credentials(_unsigned(issuer)))
    assert called == [validator.name for validator in validators if validator.validated]


@pytest.mark.gen_test
async def test_a_token_that_is_not_a_jwt_is_given_to_every_validator(
    token_cache: ValidatedTokenCache,
    deny_list: DenyList,
    binding: BindingCheck,
) -> None:
    validators = [IssuerStub("a"), IssuerStub("b")]
    authenticator = Authenticator(
        validators,
        token_cache=token_cache,
        deny_list=deny_list,
        binding=binding,
    )
    with pytest.raises(InvalidToken):
        await authenticator.authenticate(_credentials("opaque"))
    assert all(validator.validated for validator in validators)


def _unsigned(issuer: str) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256"}, {"iss": issuer}))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])
