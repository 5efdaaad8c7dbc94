from dataclasses import dataclass
from enum import StrEnum

import pytest

from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.option_fields import parse_fields


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True)
class Options:
    speed: Speed = Speed.SLOW
    rounds: int = 1
    loud: bool = False
    title: str = ""


def test_reads_each_option_by_the_type_of_its_default() -> None:
    found = parse_fields(Options, {"speed": "fast", "rounds": "3", "loud": "true", "title": "a b"})

    assert found == Options(speed=Speed.FAST, rounds=3, loud=True, title="a b")
    assert parse_fields(Options, {}) == Options()


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("speed", "FAST", "speed is 'FAST', which is not one of slow, fast"),
        ("rounds", "-1", "rounds is '-1', which is not a whole number"),
        ("rounds", "9" * 10, "which is not a whole number"),
        ("loud", "yes", "loud is 'yes', which is neither true nor false"),
        ("size", "1", "there is no option 'size'; there are speed, rounds, loud, title"),
    ],
)
def test_says_what_is_wrong_with_an_option(option: str, value: str, reason: str) -> None:
    with pytest.raises(BadOptionError, match=reason):
        parse_fields(Options, {option: value})


def test_refuses_a_class_whose_option_no_text_can_be() -> None:
    @dataclass(frozen=True)
    class Odd:
        share: float = 0.5

    with pytest.raises(TypeError, match=r"share has the default 0\.5"):
        parse_fields(Odd, {"share": "1"})
