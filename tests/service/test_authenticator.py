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


class Toy:
    """A validator that knows one token, refuses another, and cannot tell about a third."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        self.closed = False

    async def validate(self, token: PresentedToken) -> Principal | None:
        self.asked.append(token.text)
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
async def test_the_first_validator_that_knows_the_token_decides(
    token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    a, b = Toy("a"), Toy("b")
    principal = await Authenticator([a, b], token_cache=token_cache, deny_list=deny_list).authenticate(
        _credentials("b-good")
    )
    assert "b" == principal.issuer
    assert ["b-good"] == a.asked == b.asked


@pytest.mark.gen_test
async def test_a_token_judged_before_is_not_judged_again_when_denials_had_to_be_looked_up(
    token_cache: ValidatedTokenCache, clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache, toy = open_cache(server.url, clock=clock), Toy("a")
        authenticator = Authenticator([toy], token_cache=token_cache, deny_list=DenyList(cache, clock=clock))
        principal = Principal.from_claims({"iss": "a", "exp": clock.now() + 60})
        token_cache.put("a-good", ValidatedToken(principal, is_current=lambda: True))
        assert authenticator.get_cached(_credentials("a-good")) is None  # nobody can say yet whether it is denied
        assert principal is await authenticator.authenticate(_credentials("a-good"))
        assert principal is authenticator.get_cached(_credentials("a-good"))
        assert [] == toy.asked
        await cache.close()


@pytest.mark.parametrize(("token", "error"), [("a-bad", InvalidToken), ("a-unknown", IssuerUnavailable)])
@pytest.mark.gen_test
async def test_what_one_validator_refused_no_other_is_asked_about(
    token: str, error: type[Exception], token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    b = Toy("b")
    with pytest.raises(error):
        await Authenticator([Toy("a"), b], token_cache=token_cache, deny_list=deny_list).authenticate(
            _credentials(token)
        )
    assert [] == b.asked


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("opaque", Reason.MALFORMED_TOKEN),
        ("e30.eyJpc3MiOiJ4In0.AA", Reason.UNKNOWN_ISSUER),
        ("a" * 20_000, Reason.TOO_LARGE),
    ],
)
@pytest.mark.gen_test
async def test_a_token_that_nobody_knows_is_refused(
    token: str, reason: Reason, token_cache: ValidatedTokenCache, deny_list: DenyList
) -> None:
    with pytest.raises(InvalidToken) as refusal:
        await Authenticator([Toy("a")], token_cache=token_cache, deny_list=deny_list).authenticate(_credentials(token))
    assert reason is refusal.value.reason


def test_without_validators_there_is_no_start(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    with pytest.raises(SettingsError, match="nobody to judge"):
        Authenticator([], token_cache=token_cache, deny_list=deny_list)


@pytest.mark.gen_test
async def test_is_ready_when_every_validator_is(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    await Authenticator([Toy("a"), Toy("b")], token_cache=token_cache, deny_list=deny_list).check_ready()
    with pytest.raises(IssuerUnavailable, match="down"):
        await Authenticator([Toy("a"), Toy("down")], token_cache=token_cache, deny_list=deny_list).check_ready()


@pytest.mark.gen_test
async def test_closes_every_validator(token_cache: ValidatedTokenCache, deny_list: DenyList) -> None:
    toys = [Toy("a"), Toy("b")]
    await Authenticator(toys, token_cache=token_cache, deny_list=deny_list).close()
    assert all(toy.closed for toy in toys)
