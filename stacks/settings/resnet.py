"""The settings of image classification by a residual network."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from containers.resnet.contract import SEED
from headrace.algorithms.image_classification import list_own_mistakes
from headrace.recipes import resnet
from stacks.settings.engines import EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.listed_channels import ChannelSettings
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import ListedChannels, ListedTrainingSettings

# Those of the photographs that a run makes up: 28 rows are few enough for a CPU.
_MADE_UP: Final[Mapping[str, str | int | float]] = {
    "num_classes": 6,
    "num_training_samples": 294,
    "num_layers": 20,
    "image_shape": "3,28,28",
    "epochs": 30,
    "mini_batch_size": 32,
    "learning_rate": 0.05,
    "lr_scheduler_step": "18,26",
    "augmentation_type": "crop",
}
_RULE: Final = {
    "metric": resnet.VALIDATION_ACCURACY,
    "direction": "at_least",
    "threshold": resnet.BASELINE_ACCURACY,
}


class NetworkTrainingSettings(ListedTrainingSettings):
    """The training job of the network."""

    channels: ListedChannels = (
        ChannelSettings(name=resnet.TRAIN_CHANNEL, source="s3", path="resnet/photographs/"),
        ChannelSettings(name=resnet.VALIDATION_CHANNEL, source="s3", path="resnet/photographs/"),
        ChannelSettings(name=resnet.TRAIN_LIST_CHANNEL, source="s3", path="resnet/lists/train/"),
        ChannelSettings(name=resnet.VALIDATION_LIST_CHANNEL, source="s3", path="resnet/lists/validation/"),
    )
    content_type: Annotated[
        Literal["application/x-image", "application/x-recordio"],
        Setting(
            "what the channels bring: photographs and their lists, or each one file of MXNet's RecordIO, without lists",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = resnet.CONTENT_TYPE
    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of the built-in image classification, checked against its published table, and `seed` of our own "
            "engine; where none is given, those of the photographs that a run makes up ([ResNet](resnet.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})

    @property
    def listed_content_type(self) -> str:
        """What is in the channels."""
        return self.content_type


class ResnetSettings(EngineSettings):
    """Image classification, by our own engine or by SageMaker's built-in algorithm."""

    training: NetworkTrainingSettings = NetworkTrainingSettings()

    @property
    def own_hyperparameters(self) -> frozenset[str]:
        """What decides instead of chance."""
        return frozenset({SEED})

    @classmethod
    def fill_hyperparameters(cls, _preprocessing: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of made-up photographs, where none is given."""
        return given or _MADE_UP

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """A network must be right as often as the most frequent class is."""
        return _RULE

    def list_own_mistakes(self) -> Iterator[str]:
        """What our own program cannot do."""
        return list_own_mistakes(self.training.hyperparameters)
