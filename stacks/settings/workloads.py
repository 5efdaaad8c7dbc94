"""The settings of each workload: its jobs, its channels, its gate, its approval, what its model is deployed as."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from containers.images.training.contract import MOST_CONNECTIONS, TRAIN_CHANNEL, VALIDATION_CHANNEL
from headrace.channels import InputMode
from headrace.contract import SERVING_THRESHOLD
from headrace.normalizer.contract import DEFAULT_CONNECTIONS
from headrace.normalizer.options import Colour, Fit, OutputFormat, parse_options
from headrace.recipes import big_mart, images
from stacks.settings.approval import ApprovalSettings
from stacks.settings.drift import DriftSettings
from stacks.settings.endpoint import CheckedEndpointSettings, EndpointSettings
from stacks.settings.gate import GateSettings, Rules, RuleSettings
from stacks.settings.jobs import Hyperparameters, ProcessingSettings, TrainingSettings
from stacks.settings.listed_channels import ChannelSettings
from stacks.settings.mistakes import refuse_repeated
from stacks.settings.normalizer import Options, Through
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Change, Section, Setting
from stacks.settings.starting import StartSettings
from stacks.settings.transform import LineTransformSettings, TransformSettings


def _check_likeness(options: Mapping[str, str]) -> Mapping[str, str]:
    """The endpoint sees a photograph in colour and stretched to a square, and the job reads JPEG and PNG."""
    asked = parse_options(options)
    if (asked.colour, asked.fit) != (Colour.RGB, Fit.STRETCH) or asked.output_format is OutputFormat.WEBP:
        raise ValueError(
            f"colour {asked.colour}, fit {asked.fit} and output_format {asked.output_format} would train on other "
            "photographs than the endpoint sees; use colour rgb, fit stretch and output_format jpeg or png"
        )
    return options


def _check_image_prefix(prefix: str) -> str:
    place = images.RECIPE.raw_prefix
    if not (prefix.startswith(place) and prefix.endswith("/")) or {".", ".."}.intersection(prefix.split("/")):
        raise ValueError(f"the normalizer reads below '{place}' only; give a prefix there that ends with '/'")
    return prefix


class PreprocessingSettings(ProcessingSettings):
    """The processing job of the sales: its machine, its limits and how it splits the rows."""

    train_test_split_ratio: Annotated[
        float, Field(gt=0, lt=1), Setting("the share of rows that is held out", cost=NOTHING, change=NEXT_EXECUTION)
    ] = 0.1
    seed: Annotated[
        int,
        Field(ge=0, le=2**32 - 1),
        Setting("which rows are held out: the same seed holds out the same", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 42


class SharedPreprocessingSettings(PreprocessingSettings):
    """The processing job of the sales, whose raw files several machines may divide."""

    instance_count: Annotated[
        int,
        Field(ge=1, le=20),
        Setting(
            "among how many machines the raw files are divided; they exchange sums, so that more than one are not "
            "isolated from the network ([what they make](big-mart.md#on-several-instances))",
            cost="so many times its machine",
            change=NEXT_EXECUTION,
        ),
    ] = 1

    @property
    def instances(self) -> int:
        """How many machines the job has."""
        return self.instance_count


class ForestSettings(TrainingSettings):
    """The training job of the sales."""

    hyperparameters: Annotated[
        Hyperparameters, Setting("those of the random forest", cost=NOTHING, change=NEXT_EXECUTION)
    ] = Field(default={"n_estimators": 500})


def _check_channel_names(channels: tuple[ChannelSettings, ...]) -> tuple[ChannelSettings, ...]:
    refuse_repeated([channel.name for channel in channels], advice="rename one")
    return channels


class NormalizedSettings(Section):
    """Photographs that are normalized while the job reads them: as which consumer, from where, into what."""

    consumer: Annotated[
        str,
        Allowed("the name of an entry of `normalizer.consumers`"),
        Setting(
            "as whom the job reads",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = "training"
    through: Annotated[
        Through,
        Setting(
            "the door: the function URL, or the consumer's Object Lambda access point, which the account must have",
            cost="as `normalizer.function_url` or `normalizer.object_lambda`",
            change=NEXT_EXECUTION,
        ),
    ] = "function_url"
    prefix: Annotated[
        str,
        StringConstraints(max_length=900),
        AfterValidator(_check_image_prefix),
        Allowed(f"a prefix below `{images.RECIPE.raw_prefix}` that ends with `/`"),
        Setting("where the photographs are in the raw bucket", cost=NOTHING, change=NEXT_EXECUTION),
    ] = "images/photographs/"
    options: Annotated[
        Options,
        AfterValidator(_check_likeness),
        Allowed("with colour rgb, fit stretch and output_format jpeg or png"),
        Setting("what the job gets", cost=NOTHING, change=NEXT_EXECUTION),
    ] = Field(default={"width": "256", "height": "256", "colour": "rgb"})
    connections: Annotated[
        int,
        Field(ge=1, le=MOST_CONNECTIONS),
        Setting(
            "how many requests run at once, fewer while Lambda turns some away; a new account runs 10 functions",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = DEFAULT_CONNECTIONS


ListedChannels = Annotated[
    tuple[ChannelSettings, ...],
    Field(min_length=1, max_length=20, strict=False),
    AfterValidator(_check_channel_names),
    Setting("where the job's data comes from", cost="see [what it costs](cost.md)", change=NEXT_EXECUTION),
]


class ListedTrainingSettings(TrainingSettings):
    """A training job whose channels are listed."""

    channels: ListedChannels

    @property
    def listed_content_type(self) -> str | None:
        """What is in the channels; None for what the recipe says."""
        return None


class ChannelTrainingSettings(ListedTrainingSettings):
    """A training job whose photographs come from two of its listed channels, or from the normalizer."""

    channels: ListedChannels = (
        ChannelSettings(name="train", source="s3", path="images/photographs/"),
        ChannelSettings(name="validation", source="s3", path="images/photographs/"),
        ChannelSettings(name="train_lst", source="s3", path="images/lists/train/"),
        ChannelSettings(name="validation_lst", source="s3", path="images/lists/validation/"),
    )
    normalized: Annotated[
        NormalizedSettings | None,
        Setting(
            "photographs through the normalizer; null for photographs from the channels `train` and `validation`",
            cost="0.24 to 0.61 per million photographs",
            change=NEXT_EXECUTION,
        ),
    ] = None

    @model_validator(mode="after")
    def _check_modes(self) -> Self:
        for place, channel in enumerate(self.channels):
            if channel.input_mode == InputMode.PIPE.value:
                raise ValueError(
                    f"channels.{place}.input_mode: Pipe is a stream, and our own program reads files; use File or "
                    "FastFile"
                )
        return self

    @model_validator(mode="after")
    def _check_photographs(self) -> Self:
        photographs = [c.name for c in self.channels if c.name in (TRAIN_CHANNEL, VALIDATION_CHANNEL)]
        if self.normalized and photographs:
            raise ValueError(
                f"channel '{photographs[0]}' brings photographs, and so does 'normalized'; "
                "remove the channel, or set normalized to null"
            )
        return self


class WorkloadSettings(Section):
    """A workload: train, judge, approve, then serve or transform."""

    deploy: Annotated[
        Literal["endpoint", "batch"],
        Setting(
            "whether an approved model serves at an endpoint, or a job asks it about a batch and ends",
            cost="`endpoint` by the second, used or not; `batch` by the second while its job runs",
            change=Change(
                "from the next execution on. With `batch`, an endpoint that there is goes on serving, and costing, "
                "until you delete it; it no longer writes its log"
            ),
        ),
    ] = "endpoint"
    start: StartSettings = StartSettings()
    training: TrainingSettings = TrainingSettings()
    gate: GateSettings = GateSettings()
    approval: ApprovalSettings = ApprovalSettings()
    endpoint: EndpointSettings = EndpointSettings()
    transform: TransformSettings = TransformSettings()

    @property
    def built_in_version(self) -> str | None:
        """The version of the built-in algorithm that trains and serves; None where our own container image does."""
        return None

    @property
    def is_batch(self) -> bool:
        """Whether its model is asked about a batch, and no endpoint is made."""
        return self.deploy == "batch"

    def uses_channel(self, _name: str) -> bool:
        """Whether the training job has a channel of the recipe."""
        return True

    def list_batch_mistakes(self) -> Iterator[str]:
        """What contradicts a batch, each beginning with its key."""
        if not self.is_batch:
            return
        without = type(self.endpoint)(name=self.endpoint.name)
        for key in type(without).model_fields:
            if getattr(self.endpoint, key) != getattr(without, key):
                yield (
                    f"endpoint.{key}: deploy is batch, which makes no endpoint; leave it out, or set deploy to endpoint"
                )
        for index, rule in enumerate(self.gate.rules):
            if rule.threshold == SERVING_THRESHOLD:
                yield (
                    f"gate.rules.{index}.threshold: found '{SERVING_THRESHOLD}', but deploy is batch, where no version "
                    "serves that could be compared with; give a number or a metric"
                )

    @property
    def drift(self) -> DriftSettings | None:
        """How what its endpoint is asked is checked for drift, where it is."""
        return None


class LineSettings(WorkloadSettings):
    """A workload whose model is asked with lines, each a record."""

    transform: LineTransformSettings = LineTransformSettings()


class PreprocessedSettings(LineSettings):
    """A workload that preprocesses its raw data first."""

    preprocessing: ProcessingSettings = ProcessingSettings()


class ProfiledSettings(PreprocessedSettings):
    """A workload whose preprocessing says what the raw data look like."""

    endpoint: CheckedEndpointSettings = CheckedEndpointSettings()

    @property
    def drift(self) -> DriftSettings | None:
        """How what its endpoint is asked is checked for drift, where it is."""
        return self.endpoint.drift


class ForestGateSettings(GateSettings):
    """The gate of the sales: a forest must err less than the mean does, by more than chance would have it."""

    rules: Rules = (
        RuleSettings(
            metric=big_mart.VALIDATION_RMSE, direction="at_most", threshold=big_mart.BASELINE_RMSE, margin=-0.05
        ),
    )


class ClassifierGateSettings(GateSettings):
    """The gate of image classification: a classifier must be right as often as the most frequent class is."""

    rules: Rules = (
        RuleSettings(metric=images.VALIDATION_ACCURACY, direction="at_least", threshold=images.BASELINE_ACCURACY),
    )


class BigMartSettings(ProfiledSettings):
    """Sales of Big Mart."""

    preprocessing: SharedPreprocessingSettings = SharedPreprocessingSettings()
    training: ForestSettings = ForestSettings()
    gate: ForestGateSettings = ForestGateSettings()


class ImagesSettings(WorkloadSettings):
    """Image classification, from listed channels."""

    training: ChannelTrainingSettings = ChannelTrainingSettings()
    gate: ClassifierGateSettings = ClassifierGateSettings()
