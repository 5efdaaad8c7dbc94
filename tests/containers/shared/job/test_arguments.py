import pytest

from containers.shared.job.arguments import ArgumentParser


class MistakeError(Exception):
    """What the job calls a mistake."""


def parse(*arguments: str) -> dict[str, object]:
    parser = ArgumentParser(mistake=MistakeError, prog="job")
    parser.add_argument("--seed", default="42")
    return vars(parser.parse_args(arguments))


def test_takes_an_argument_by_its_full_name() -> None:
    assert parse("--seed", "7") == {"seed": "7"}
    assert parse() == {"seed": "42"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--seed", "7", "--seed", "8"), "argument --seed: given more than once; see --help"),
        (("--see", "7"), "unrecognized arguments: --see 7; see --help"),
        (("--seeds", "7"), "unrecognized arguments: --seeds 7; see --help"),
        (("--seed",), "argument --seed: expected one argument; see --help"),
    ],
)
def test_refuses_what_it_would_have_to_pass_over(arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(MistakeError) as raised:
        parse(*arguments)

    assert str(raised.value) == reason
