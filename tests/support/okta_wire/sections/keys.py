"""The key set, how long it may be kept, and the life of its keys."""

from __future__ import annotations

from collections.abc import Callable

from plain_http import Response

from okta_wire.row import Row, Section
from okta_wire.views import Members, body, first_of, listed
from okta_wire.world import Request, World, at

KEYS = Request(path=at("keys"))
A_QUARTER_S = 90 * 86_400


def young(request: Request) -> Callable[[World], Request]:
    """A request at the time of the start, when no key has been rotated yet."""

    def ask(world: World) -> Request:
        world.issuer.clock.reset()
        return request

    return ask


def _after(seconds: int) -> Row:
    def ask(world: World) -> Request:
        world.issuer.rotate()
        world.issuer.clock.advance(seconds)
        return KEYS

    left = f"max-age={A_QUARTER_S - seconds}, must-revalidate"
    return Row(f"{seconds} seconds after a rotation", ask, 200, "", "keys", {"Cache-Control": left})


def _beside_a_token(server: str, keys: list[str]) -> Row:
    signing: list[str] = []

    def ask(world: World) -> Request:
        signing[:] = [world.issuer.mint(server=server).header["kid"]]
        return Request(path=at("keys", server))

    def kids(answer: Response) -> Members:
        return {"keys": [SIGNS if key["kid"] in signing else ANOTHER for key in body(answer)["keys"]]}

    case = f"which key signs the access tokens of {server}"
    return Row(case, ask, 200, "", "keys", values={"keys": keys}, view=kids)


ANOTHER, SIGNS = "another kid", "the kid of an access token"

SECTION = Section(
    "Keys",
    (
        Row(
            "a key",
            KEYS,
            200,
            "",
            "kty alg kid use e n",
            {"Content-Type": "application/json", "x-rate-limit-limit": None},
            {"kty": "RSA", "alg": "RS256", "kid": "{43 characters}", "use": "sig", "e": "AQAB", "n": "{modulus}"},
            first_of("keys"),
        ),
        Row(
            "all keys before the first rotation",
            young(KEYS),
            200,
            "",
            "first second",
            {},
            {"first": "{43 characters}", "second": "{43 characters}"},
            listed("keys", "kid"),
        ),
        Row(
            "the set for a client of the org",
            Request(path=at("keys", "org"), query={"client_id": "x"}),
            200,
            "",
            "keys",
        ),
        _beside_a_token("default", [SIGNS, ANOTHER, ANOTHER]),
        _beside_a_token("org", [ANOTHER, ANOTHER, ANOTHER]),
        _after(0),
        _after(86_400),
        _after(A_QUARTER_S - 10),
    ),
)
