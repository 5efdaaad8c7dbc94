"""The job's hyperparameters: their defaults, ranges and meaning."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import select_own

from . import contract

IMAGE_SIZES = (64, 96, 128, 160, 192, 224, 256)
SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What a job may choose.

    The defaults were measured by cross-validation on twelve classes of Caltech-101 with eleven photographs each
    to learn from: 80 % of the others are recognised, against 78 % with `image_size` 128 and 79 % without mirror images.

    Args:
        image_size: Rows and columns that every photograph is scaled to before it is looked at.
        inverse_regularization: How closely the classifier may follow its training photographs.
        mirror: Whether to learn from each training photograph's mirror image, too.
        max_bad_photographs: How many photographs that cannot be decoded are left out, over both channels, before
            the job fails.
    """

    image_size: int = 96
    inverse_regularization: float = 10.0
    mirror: bool = True
    max_bad_photographs: int = 0


def parse_hyperparameters(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, all of which SageMaker passes as text."""
    own = select_own(texts, [field.name for field in fields(Hyperparameters)])
    merged = {name: str(value) for name, value in asdict(Hyperparameters()).items()} | own
    return Hyperparameters(
        image_size=parse_image_size(merged[contract.IMAGE_SIZE]),
        inverse_regularization=parse_positive(contract.INVERSE_REGULARIZATION, merged[contract.INVERSE_REGULARIZATION]),
        mirror=parse_switch(contract.MIRROR, merged[contract.MIRROR]),
        max_bad_photographs=parse_whole(contract.MAX_BAD_PHOTOGRAPHS, merged[contract.MAX_BAD_PHOTOGRAPHS]),
    )


def describe_hyperparameters(hyperparameters: Hyperparameters) -> dict[str, object]:
    """The hyperparameters as data, by name."""
    return asdict(hyperparameters)


def parse_image_size(text: str) -> int:
    """One of the sizes that divide into whole cells."""
    if text not in map(str, IMAGE_SIZES):
        raise HyperparameterError(
            f"hyperparameter {contract.IMAGE_SIZE}: {text!r} is not one of {', '.join(map(str, IMAGE_SIZES))}"
        )
    return int(text)


def parse_positive(name: str, text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is not a number above 0")
    return value


def parse_switch(name: str, text: str) -> bool:
    """True or false."""
    if text.lower() not in SWITCHES:
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is neither {' nor '.join(SWITCHES)}")
    return SWITCHES[text.lower()]


def parse_whole(name: str, text: str) -> int:
    """A whole number from 0."""
    highest = 2**31 - 1
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and int(text) <= highest):
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is not a whole number from 0 to {highest}")
    return int(text)
