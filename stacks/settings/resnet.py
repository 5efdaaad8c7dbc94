"""The settings of image classification by a residual network."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from containers.resnet.contract import SEED
from headrace.algorithms.image_classification import list_own_mistakes
from headrace.channels import InputMode
from headrace.contract import MODEL_CHANNEL
from headrace.recipes import resnet
from stacks.settings.engines import BUILT_IN, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.listed_channels import ChannelSettings
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.streams import list_manifest_mistakes
from stacks.settings.workloads import ListedChannels, ListedTrainingSettings

_STREAMED: Final = (resnet.TRAIN_CHANNEL, resnet.VALIDATION_CHANNEL)
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
        Literal["application/x-image", "application/x-recordio", "application/x-headrace-packed"],
        Setting(
            "what the channels bring: photographs with their lists or in augmented manifests, or each one file of "
            "MXNet's RecordIO, without lists, or each a [packed set](packed.md), for our own engine",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = resnet.CONTENT_TYPE
    instance_count: Annotated[
        int,
        Field(ge=1, le=20),
        Setting(
            "on how many machines one network learns; with our own engine from packed sets only",
            cost="so many times its machine",
            change=NEXT_EXECUTION,
        ),
    ] = 1
    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of the built-in image classification, checked against its published table, and `seed` of our own "
            "engine; where none is given, those of the photographs that a run makes up ([ResNet](resnet.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})

    continue_from: Annotated[
        Annotated[int, Field(ge=1, le=999_999_999)] | None,
        Setting(
            "the number of an earlier version of the model, which training goes on from, with the same "
            "`num_layers`, `image_shape` and `num_classes`; null to begin anew "
            "([progressive training](resnet.md#progressive-training))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = None

    @property
    def earlier_version(self) -> int | None:
        """The number of the version that the job goes on from."""
        return self.continue_from

    @property
    def listed_content_type(self) -> str:
        """What is in the channels."""
        return self.content_type

    @property
    def instances(self) -> int:
        """How many machines it has."""
        return self.instance_count


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
        return list_own_mistakes(self.training.hyperparameters, of_packed=self.training.content_type == resnet.PACKED)

    @model_validator(mode="after")
    def _check_packed(self) -> Self:
        training = self.training
        if self.engine == BUILT_IN and training.content_type == resnet.PACKED:
            raise ValueError(
                "training.content_type: the built-in algorithm does not read packed sets; use "
                f"{resnet.RECORDS}, or our own engine"
            )
        if self.engine != BUILT_IN and training.instance_count > 1 and training.content_type != resnet.PACKED:
            raise ValueError(
                f"training.instance_count: {training.instance_count}, but our own engine learns on several instances "
                f"from packed sets only; set training.content_type to {resnet.PACKED}, or instance_count to 1"
            )
        return self

    @model_validator(mode="after")
    def _check_earlier(self) -> Self:
        training = self.training
        if training.continue_from and training.content_type == resnet.PACKED:
            raise ValueError(
                f"training.continue_from: found {training.continue_from}, but networks learn from packed sets from the "
                "beginning; leave it out, or set training.content_type to another one"
            )
        if training.continue_from and MODEL_CHANNEL in [channel.name for channel in training.channels]:
            raise ValueError(
                f"training.continue_from: brings the channel '{MODEL_CHANNEL}', which training.channels has, too; "
                "leave one of them out"
            )
        return self

    def list_stream_mistakes(self) -> Iterator[str]:
        """The channels in Pipe mode that the engine cannot read, each beginning with its key.

        Both engines take augmented manifests, as
        https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html says, and the built-in algorithm
        streams files of MXNet's RecordIO, too.
        """
        for place, channel in enumerate(self.training.channels):
            key = f"training.channels.{place}"
            if channel.data_type == "augmented_manifest":
                mistakes = list_manifest_mistakes(channel, _STREAMED, labels="classes", example="source-ref, class")
                yield from (f"{key}.{mistake}" for mistake in mistakes)
            elif channel.input_mode == InputMode.PIPE.value and not self._streams_records:
                yield (
                    f"{key}.input_mode: found 'Pipe', but data_type is {channel.data_type}, and only augmented "
                    "manifests are streamed to the network; use File, or set data_type to augmented_manifest"
                )

    @property
    def _streams_records(self) -> bool:
        return self.engine == BUILT_IN and self.training.content_type == resnet.RECORDS
