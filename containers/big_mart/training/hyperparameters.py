"""The forest's hyperparameters: their defaults, ranges and meaning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import parse_whole, select_own

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
    merged = {name: str(value) for name, value in asdict(Hyperparameters()).items()} | own
    return Hyperparameters(
        n_estimators=parse_whole(contract.N_ESTIMATORS, merged[contract.N_ESTIMATORS], lowest=1),
        min_samples_leaf=parse_whole(contract.MIN_SAMPLES_LEAF, merged[contract.MIN_SAMPLES_LEAF], lowest=1),
        max_features=parse_max_features(merged[contract.MAX_FEATURES]),
        max_depth=parse_max_depth(merged[contract.MAX_DEPTH]),
        seed=parse_whole(contract.SEED, merged[contract.SEED]),
    )


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


def parse_max_depth(text: str) -> int | None:
    """A number of levels, or None for `none`."""
    return None if text.lower() == "none" else parse_whole(contract.MAX_DEPTH, text, lowest=1)
