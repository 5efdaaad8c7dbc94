"""What our own program can do of the built-in XGBoost; standard library only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.algorithms.hyperparameters import list_class_mistakes, list_untaken

_TAKEN: Final[Mapping[str, tuple[str, ...]]] = {"save_model_on_termination": ("false",)}
# Where it stands in for an algorithm that is told to use a GPU, it says that it does not.
ON_CPUS: Final = ("auto", "exact", "approx", "hist")
# They are about labels with a lower and an upper bound, and a channel brings one label for each row.
_OF_BOUNDS: Final = ("survival:aft", "aft-nloglik", "interval-regression-accuracy")
# Its power stands behind the name.
_WITH_NUMBER: Final = ("tweedie-nloglik",)


def list_own_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """What of the algorithm's own hyperparameters our program cannot do, each beginning with the name of one.

    Args:
        given: Those that the algorithm takes.
    """
    yield from list_untaken(given, _TAKEN)
    yield from list_class_mistakes(given, name="num_class")
    if given.get("booster") == "gblinear" and "early_stopping_rounds" in given:
        yield (
            "early_stopping_rounds: a model of booster gblinear cannot be cut back to its best round, as one of trees "
            "is; leave it out, or use gbtree"
        )
    for name in ("objective", "eval_metric"):
        for value in (part.strip() for part in str(given.get(name, "")).split(",")):
            word, _, number = value.partition("@")
            if word in _OF_BOUNDS:
                yield f"{name}: {value} needs labels with two bounds, and our own program reads one label for each row"
            elif (number or word in _WITH_NUMBER) and not _is_number(number.removesuffix("-")):
                yield f"{name}: found '{value}', allowed: a number behind @, such as {word}@1.5"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
