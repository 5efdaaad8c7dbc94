"""The job's hyperparameters, with the names, bounds and defaults of the built-in algorithm; SageMaker passes text."""

from collections.abc import Mapping
from dataclasses import dataclass

from containers.shared.networks.hyperparameters import read_steps, read_values
from headrace.algorithms.object_detection import ALGORITHM, list_own_mistakes

from . import contract


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the job may set, all but the seed as the built-in algorithm describes it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-api-config.html
    """

    num_classes: int
    num_training_samples: int
    image_shape: int
    epochs: int
    mini_batch_size: int
    optimizer: str
    learning_rate: float
    lr_scheduler_factor: float
    lr_scheduler_steps: tuple[int, ...]
    momentum: float
    weight_decay: float
    nms_threshold: float
    overlap_threshold: float
    early_stopping: bool
    early_stopping_min_epochs: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    seed: int


def parse_hyperparameters(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, or an error that names the first one that cannot be used."""
    values = read_values(ALGORITHM, texts, contract.SEED, list_own_mistakes)
    values["early_stopping"] = values["early_stopping"] == "True"
    values["lr_scheduler_steps"] = read_steps(values)
    return Hyperparameters(**{name: values[name] for name in Hyperparameters.__dataclass_fields__})
