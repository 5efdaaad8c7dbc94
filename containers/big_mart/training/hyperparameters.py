"""The forest's hyperparameters: their defaults, ranges and meaning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import select_own

from . import contract

NAMED_MAX_FEATURES = ("sqrt", "log2")


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What a job may choose.

    The defaults were measured on the real Big Mart file over four hold-outs: they err by 1,066 (RMSE), where fully
    grown trees err by 1,105 with fifty times as many nodes.

    Args:
        max_features: Part of the features looked at for each split, or their square root or logarithm.
        max_depth: Levels of a tree, without limit if None.
    """

    n_estimators: int = 500
    min_samples_leaf: int = 40
    max_features: float | str = 0.5
    max_depth: int | None = None
    seed: int = 42


def parse_hyperparameters(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, all of which SageMaker passes as text."""
    own = select_own(texts, [field.name for field in fields(Hyperparameters)])
    defaults = Hyperparameters()
    return Hyperparameters(
        n_estimators=parse_whole(own, contract.N_ESTIMATORS, default=defaults.n_estimators, lowest=1),
        min_samples_leaf=parse_whole(own, contract.MIN_SAMPLES_LEAF, default=defaults.min_samples_leaf, lowest=1),
        max_features=parse_max_features(own.get(contract.MAX_FEATURES, str(defaults.max_features))),
        max_depth=parse_max_depth(own),
        seed=parse_whole(own, contract.SEED, default=defaults.seed, lowest=0),
    )


def describe_hyperparameters(hyperparameters: Hyperparameters) -> dict[str, object]:
    """The hyperparameters as data, by name."""
    return asdict(hyperparameters)


def parse_whole(texts: Mapping[str, str], name: str, *, default: int, lowest: int) -> int:
    """A whole number from `lowest` to the largest that the forest's seed and sizes may have."""
    highest = 2**31 - 1
    text = texts.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and lowest <= int(text) <= highest):
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is not a whole number from {lowest} to {highest}")
    return int(text)


def parse_max_features(text: str) -> float | str:
    """A fraction of the features, or the name of a rule."""
    if text in NAMED_MAX_FEATURES:
        return text
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        raise HyperparameterError(
            f"hyperparameter {contract.MAX_FEATURES}: {text!r} is not a fraction above 0 and up to 1, "
            f"nor one of {', '.join(NAMED_MAX_FEATURES)}"
        )
    return fraction


def parse_max_depth(texts: Mapping[str, str]) -> int | None:
    """A number of levels, or None for `none` and when nothing is said."""
    if texts.get(contract.MAX_DEPTH, "none").lower() == "none":
        return None
    return parse_whole(texts, contract.MAX_DEPTH, default=0, lowest=1)
