"""Addresses of the page: good once, for a while, and of one key."""

from collections.abc import Callable

import pytest

from headrace.local.page.tokens import LIFE_SECONDS, Tokens, write_address

ENDPOINT = "http://127.0.0.1:4711"
OWNER = "of the owner"


def take_token(secret: str = OWNER, now: float = 1_000) -> str:
    address = write_address(ENDPOINT, secret, now)
    assert address.startswith(f"{ENDPOINT}/_headrace/?token=")
    return address.rpartition("=")[2]


def test_lets_in_once() -> None:
    tokens, token = Tokens(OWNER, lambda: 1_001), take_token()

    assert [tokens.redeem(token), tokens.redeem(token)] == [True, False]


def test_lets_in_each_of_several() -> None:
    tokens = Tokens(OWNER, lambda: 1_001)

    assert all(tokens.redeem(take_token()) for _ in range(3))


def test_lets_no_browser_in_after_a_while() -> None:
    token = take_token()

    assert Tokens(OWNER, lambda: 1_000 + LIFE_SECONDS - 1).redeem(token)
    assert not Tokens(OWNER, lambda: 1_000 + LIFE_SECONDS).redeem(token)


def test_forgets_used_ones_that_are_worth_nothing_any_more() -> None:
    times = [1_001.0, 1_001.0 + LIFE_SECONDS, 1_001.0 + LIFE_SECONDS]
    tokens = Tokens(OWNER, lambda: times.pop(0))
    first = take_token()
    tokens.redeem(first)

    assert tokens.redeem(take_token(now=1_001 + LIFE_SECONDS))
    assert not tokens.redeem(first)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: f"{token.rpartition('.')[0]}.{take_token('of an earlier start').rpartition('.')[2]}",
        lambda token: token[:-1],
        lambda token: f"9{token}",
        lambda token: token.replace(".", "", 1),
    ],
    ids=["other key", "cut", "later end", "other form"],
)
def test_refuses_one_that_was_changed(change: Callable[[str], str]) -> None:
    assert not Tokens(OWNER, lambda: 1_001).redeem(change(take_token()))


@pytest.mark.parametrize("token", ["", "..", "\udcff.é.x", "9" * 5_000], ids=["empty", "dots", "no text", "long"])
def test_refuses_any_other(token: str) -> None:
    assert not Tokens(OWNER, lambda: 1_001).redeem(token)
