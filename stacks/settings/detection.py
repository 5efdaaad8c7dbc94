"""The settings of object detection."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from containers.detection.contract import SEED
from headrace.algorithms.object_detection import list_own_mistakes
from headrace.channels import InputMode, RecordWrapper
from headrace.recipes import detection
from stacks.settings.engines import BUILT_IN, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.listed_channels import ChannelSettings
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.streams import list_manifest_mistakes
from stacks.settings.workloads import ListedChannels, ListedTrainingSettings

_STREAMED: Final = (detection.TRAIN_CHANNEL, detection.VALIDATION_CHANNEL)
# What says which boxes are in photographs that come as files, which the built-in algorithm alone reads.
_ANNOTATIONS: Final = "_annotation"
# Those of the scenes that a run makes up.
_MADE_UP: Final[Mapping[str, str | int | float]] = {
    "num_classes": 4,
    "num_training_samples": 208,
    "epochs": 20,
    "mini_batch_size": 16,
    "optimizer": "adam",
    "learning_rate": 0.002,
    "lr_scheduler_step": "14,18",
}
_RULE: Final = {
    "metric": detection.VALIDATION_MAP,
    "direction": "at_least",
    "threshold": detection.BASELINE_MAP,
}


def _make_channel(name: str) -> ChannelSettings:
    return ChannelSettings(
        name=name,
        source="s3",
        path=f"detection/manifests/{name}.manifest",
        data_type="augmented_manifest",
        objects=detection.PHOTOGRAPHS_PREFIX,
        attribute_names=detection.ATTRIBUTE_NAMES,
        input_mode=InputMode.PIPE.value,
        record_wrapper=RecordWrapper.RECORD_IO.value,
    )


class DetectorTrainingSettings(ListedTrainingSettings):
    """The training job of the detector."""

    channels: ListedChannels = tuple(map(_make_channel, _STREAMED))
    content_type: Annotated[
        Literal["image/jpeg", "image/png", "application/x-image", "application/x-recordio"],
        Setting(
            "what the channels bring: JPEG files, PNG files or both in augmented manifests, or each one file of "
            "MXNet's RecordIO with its boxes",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = detection.CONTENT_TYPE
    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of the built-in object detection, checked against its published table, and `seed` of our own "
            "engine; where none is given, those of the scenes that a run makes up ([detection](detection.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})

    @property
    def listed_content_type(self) -> str:
        """What is in the channels."""
        return self.content_type


class DetectionSettings(EngineSettings):
    """Object detection, by our own engine or by SageMaker's built-in algorithm."""

    training: DetectorTrainingSettings = DetectorTrainingSettings()

    @property
    def own_hyperparameters(self) -> frozenset[str]:
        """What decides instead of chance."""
        return frozenset({SEED})

    @classmethod
    def fill_hyperparameters(cls, _preprocessing: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of made-up scenes, where none is given."""
        return given or _MADE_UP

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """A detector must find objects at least as well as the mean box of each class does."""
        return _RULE

    def list_own_mistakes(self) -> Iterator[str]:
        """What our own program cannot do."""
        return list_own_mistakes(self.training.hyperparameters)

    def list_stream_mistakes(self) -> Iterator[str]:
        """The channels that bring no boxes, or in a way that the engine cannot read, each beginning with its key.

        https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection.html says what either may be.
        """
        for place, channel in enumerate(self.training.channels):
            mistakes = self._list_channel_mistakes(channel)
            yield from (f"training.channels.{place}.{mistake}" for mistake in mistakes)

    def _list_channel_mistakes(self, channel: ChannelSettings) -> Iterator[str]:
        is_record = self.training.content_type == detection.RECORDS
        if channel.data_type == "augmented_manifest":
            yield from list_manifest_mistakes(channel, _STREAMED, labels="boxes", example="source-ref, bounding-box")
            if is_record:
                yield (
                    f"data_type: found 'augmented_manifest', but training.content_type is {detection.RECORDS}, and a "
                    "manifest lists photographs; set the content type to image/jpeg, image/png or application/x-image"
                )
        elif channel.input_mode == InputMode.PIPE.value and not (is_record and self.engine == BUILT_IN):
            yield (
                f"input_mode: found 'Pipe', but data_type is {channel.data_type}, and only augmented manifests are "
                "streamed to the detector; use File, or set data_type to augmented_manifest"
            )
        elif not is_record and not self._has_annotations(channel):
            yield (
                f"data_type: found '{channel.data_type}', but files of {self.training.content_type} say nothing of "
                f"boxes; set data_type to augmented_manifest, or training.content_type to {detection.RECORDS}"
            )

    def _has_annotations(self, channel: ChannelSettings) -> bool:
        """Whether another channel says where the boxes of a channel's files are, which our engine does not read."""
        names = {each.name for each in self.training.channels}
        photographs = channel.name.removesuffix(_ANNOTATIONS)
        return (
            self.engine == BUILT_IN and photographs in _STREAMED and {photographs, photographs + _ANNOTATIONS} <= names
        )
