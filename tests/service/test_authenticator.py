from __future__ import annotations

import pytest
import servers

from service.authenticator import Authenticator
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, Reason, SettingsError
from service.tokens.credentials import Credentials
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal


class FakeValidator:
    """A validator that accepts one token, rejects another, and fails for a third."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tokens: list[str] = []
        self.closed = False

    async def validate(self, token: PresentedToken) -> Principal | None:
        self.tokens.append(token.text)
        match token.text.removeprefix(f"{self.name}-"):
            case "good":
                return Principal.from_claims({"iss": self.name, "exp": 1})
            case "bad":
                raise InvalidToken(Reason.EXPIRED)
            case "unknown":
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
async def test_the_first_validator_that_recognizes_the_token_is_used(
    token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    a, b = FakeValidator("a"), FakeValidator("b")
    principal = await Authenticator([a, b], token_cache=token_cache, deny_list=deny_list).authenticate(
        _credentials("b-good")
    )
    assert "b" == principal.issuer
    assert ["b-good"] == a.tokens == b.tokens


@pytest.mark.gen_test
async def test_a_cached_token_is_not_validated_again_after_a_deny_list_lookup(
    token_cache: ValidatedTokenCache, clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache, validator = open_cache(server.url, clock=clock), FakeValidator("a")
        authenticator = Authenticator([validator], token_cache=token_cache, deny_list=DenyList(cache, clock=clock))
        principal = Principal.from_claims({"iss": "a", "exp": clock.now() + 60})
        token_cache.put("a-good", ValidatedToken(principal, is_current=lambda: True))
        assert authenticator.get_cached(_credentials("a-good")) is None  # the deny list has not been read yet
        assert principal is await authenticator.authenticate(_credentials("a-good"))
        assert principal is authenticator.get_cached(_credentials("a-good"))
        assert [] == validator.tokens
        await cache.close()


@pytest.mark.parametrize(("token", "error"), [("a-bad", InvalidToken), ("a-unknown", IssuerUnavailable)])
@pytest.mark.gen_test
async def test_an_error_of_one_validator_skips_the_others(
    token: str, error: type[Exception], token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    b = FakeValidator("b")
    with pytest.raises(error):
        await Authenticator([FakeValidator("a"), b], token_cache=token_cache, deny_list=deny_list).authenticate(
            _credentials(token)
        )
    assert [] == b.tokens


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("opaque", Reason.MALFORMED_TOKEN),
        ("e30.eyJpc3MiOiJ4In0.AA", Reason.UNKNOWN_ISSUER),
        ("a" * 20_000, Reason.TOO_LARGE),
    ],
)
@pytest.mark.gen_test
async def test_an_unrecognized_token_is_rejected(
    token: str, reason: Reason, token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    with pytest.raises(InvalidToken) as error:
        await Authenticator([FakeValidator("a")], token_cache=token_cache, deny_list=deny_list).authenticate(
            _credentials(token)
        )
    assert reason is error.value.reason


def test_no_validators_raise_settings_error(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    with pytest.raises(SettingsError, match="nobody to judge"):
        Authenticator([], token_cache=token_cache, deny_list=deny_list)


@pytest.mark.gen_test
async def test_check_ready_checks_every_validator(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    await Authenticator(
        [FakeValidator("a"), FakeValidator("b")], token_cache=token_cache, deny_list=deny_list
    ).check_ready()
    with pytest.raises(IssuerUnavailable, match="down"):
        await Authenticator(
            [FakeValidator("a"), FakeValidator("down")], token_cache=token_cache, deny_list=deny_list
        ).check_ready()


@pytest.mark.gen_test
async def test_close_closes_every_validator(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    validators = [FakeValidator("a"), FakeValidator("b")]
    await Authenticator(validators, token_cache=token_cache, deny_list=deny_list).close()
    assert all(validator.closed for validator in validators)
