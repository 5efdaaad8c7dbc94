"""The job's hyperparameters, with the names, bounds and defaults of the built-in algorithm; SageMaker passes text."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from containers.shared.networks.hyperparameters import read_steps, read_values
from headrace.algorithms.image_classification import ALGORITHM, list_own_mistakes, read_side

from . import contract


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the job may set, all but the seed as the built-in algorithm describes it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
    """

    num_classes: int
    num_training_samples: int
    num_layers: int
    side: int
    epochs: int
    mini_batch_size: int
    optimizer: str
    learning_rate: float
    lr_scheduler_factor: float
    lr_scheduler_steps: tuple[int, ...]
    momentum: float
    weight_decay: float
    beta_1: float
    beta_2: float
    eps: float
    gamma: float
    is_augmented: bool
    is_coloured: bool
    top_k: int | None
    use_weighted_loss: bool
    early_stopping: bool
    early_stopping_min_epochs: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    seed: int


def parse_hyperparameters(texts: Mapping[str, str], *, of_packed: bool = False) -> Hyperparameters:
    """The job's hyperparameters, or an error that names the first one that cannot be used.

    Args:
        texts: Those that the job has.
        of_packed: Whether its photographs are packed.
    """
    values = read_values(ALGORITHM, texts, contract.SEED, partial(list_own_mistakes, of_packed=of_packed))
    taken = {name: values[name] for name in Hyperparameters.__dataclass_fields__ if name in values}
    return Hyperparameters(
        **{
            **taken,
            "num_layers": int(values["num_layers"]),
            "use_weighted_loss": values["use_weighted_loss"] == "1",
            "early_stopping": values["early_stopping"] == "True",
        },
        side=read_side(str(values["image_shape"])),
        lr_scheduler_steps=read_steps(values),
        is_augmented=values["augmentation_type"] is not None,
        is_coloured=values["augmentation_type"] == "crop_color",
    )
