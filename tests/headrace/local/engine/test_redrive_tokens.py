"""Requests to redrive an execution that come twice."""

from datetime import UTC, datetime, timedelta

from headrace.local.engine.redrive_tokens import RedriveTokens

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_answers_a_token_again_for_a_quarter_of_an_hour() -> None:
    tokens = RedriveTokens()
    tokens.note("a", NOW, "first")

    assert tokens.find("a", NOW + timedelta(minutes=14, seconds=59)) == "first"
    assert tokens.find("a", NOW + timedelta(minutes=15)) is None
    assert tokens.find("b", NOW) is None


def test_takes_a_token_anew_once_it_is_no_longer_valid() -> None:
    tokens, later = RedriveTokens(), NOW + timedelta(hours=1)
    tokens.note("a", NOW, "first")

    tokens.note("a", later, "second")

    assert tokens.find("a", later) == "second"


def test_remembers_the_last_ten() -> None:
    tokens = RedriveTokens()
    for number in range(11):
        tokens.note(f"token-{number}", NOW, str(number))

    assert [tokens.find(f"token-{number}", NOW) for number in (0, 1, 10)] == [None, "1", "10"]


def test_knows_no_request_without_a_token() -> None:
    tokens = RedriveTokens()
    tokens.note(None, NOW, "first")

    assert tokens.find(None, NOW) is None
