"""The settings of the image normalizer and of those who read through it."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from containers.normalizer import contract as image_preprocessing
from headrace.normalizer.contract import DEFAULT_TRANSFORMATION, pascal_name
from headrace.normalizer.errors import BadOptionError
from headrace.regions import OBJECT_LAMBDA_CLOSED
from headrace.transformations.registry import NAMES, UnknownTransformationError, find_transformation
from stacks.settings.jobs import ProcessingSeconds, ProcessingSettings
from stacks.settings.section import IN_PLACE, NEXT_EXECUTION, NOTHING, Allowed, Change, LogDays, Section, Setting

# The doors of a single photograph, by the names of their settings.
Through = Literal["function_url", "object_lambda"]


def check_options(options: Mapping[str, str], transformation: str = DEFAULT_TRANSFORMATION) -> Mapping[str, str]:
    """A transformation's options, if it takes them."""
    try:
        find_transformation(transformation).parse_options(options)
    except BadOptionError as error:
        raise ValueError(error.reason) from None
    return options


def _check_transformation(name: str) -> str:
    try:
        find_transformation(name)
    except UnknownTransformationError as error:
        raise ValueError(str(error)) from None
    return name


Options = Annotated[Mapping[str, str], AfterValidator(check_options), Allowed("an object of the normalizer's options")]


def check_access_point_name(name: str) -> str:
    """An Object Lambda access point's name, if it can be one.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessPointForObjectLambda.html
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,43}[a-z0-9]", name):
        raise ValueError(
            f"'{name}' is not a name of 3 to 45 lower-case letters, digits and hyphens that neither begins nor ends "
            "with a hyphen"
        )
    return name


class ConsumerSettings(Section):
    """A reader: what is done with what they read, and what a request through Object Lambda without options gets."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=30),
        Setting(
            "who reads",
            cost=NOTHING,
            change=Change(
                "the access point and the policy of the old name go",
                loses=("AWS::IAM::ManagedPolicy", "AWS::S3::AccessPoint"),
            ),
        ),
    ]
    object_lambda_name: Annotated[
        Annotated[str, AfterValidator(check_access_point_name)] | None,
        Allowed("3 to 45 lower-case letters, digits and hyphens, or null"),
        Setting(
            "the name of its Object Lambda access point; null for `headrace-ENVIRONMENT-CONSUMER`",
            cost=NOTHING,
            change=Change(
                "an access point of the new name takes the old one's place", loses=("AWS::S3ObjectLambda::AccessPoint",)
            ),
        ),
    ] = None
    transformation: Annotated[
        Annotated[str, AfterValidator(_check_transformation)],
        Allowed(f"one of {', '.join(NAMES)}, or [your own](transformations.md)"),
        Setting(
            "what becomes of the objects that they read, and so which those are; each has its own function",
            cost="nothing while idle; as the URL",
            change=Change(
                "the access point shows other objects; a function that no consumer needs any more goes, with its URL, "
                "access point and log",
                loses=("AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Logs::LogGroup", "AWS::S3::AccessPoint"),
            ),
        ),
    ] = DEFAULT_TRANSFORMATION
    options: Annotated[
        Mapping[str, str],
        Allowed("an object of the transformation's options"),
        Setting("what a request through Object Lambda that names no options gets", cost=NOTHING, change=IN_PLACE),
    ] = Field(default={})

    @field_validator("options")
    @classmethod
    def _check_options(cls, options: Mapping[str, str], known: ValidationInfo) -> Mapping[str, str]:
        # Without one that there is, that is the mistake to report.
        if "transformation" in known.data:
            check_options(options, known.data["transformation"])
        return options


class BulkSettings(ProcessingSettings):
    """The batch door: the machine of its processing job, and what the job puts up with."""

    max_runtime_seconds: ProcessingSeconds = 14400
    instance_count: Annotated[
        int,
        Field(ge=1, le=20),
        Setting(
            "among how many machines the photographs are divided",
            cost="so many times its machine, for so many times less time",
            change=NEXT_EXECUTION,
        ),
    ] = 1
    max_refused: Annotated[
        int,
        Field(ge=0, le=10**9),
        Setting("how many photographs may be refused before the job fails", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 0
    connections: Annotated[
        int,
        Field(ge=1, le=image_preprocessing.MOST_CONNECTIONS),
        Setting("how many requests to S3 run at once, on each machine", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 32
    packed: Annotated[
        bool,
        Setting(
            "whether to write a [packed set](packed.md) as well, its classes the folders below the prefix",
            cost="0.023 per GB and month: 4.21 for a million records of 256 x 256 in RGB",
            change=NEXT_EXECUTION,
        ),
    ] = False

    @property
    def instances(self) -> int:
        """How many machines the job has."""
        return self.instance_count


class NormalizerSettings(Section):
    """The image normalizer: which doors it has, for whom, and its limits."""

    function_url: Annotated[
        bool,
        Setting(
            "whether there is a URL for requests signed for AWS",
            cost="0.24 to 0.61 per million photographs",
            change=Change("off removes the URL; on again gives another one", loses=("AWS::Lambda::Url",)),
        ),
    ] = True
    object_lambda: Annotated[
        bool,
        Setting(
            "whether each consumer has an S3 Object Lambda access point, in its own stack that comes last: AWS "
            f"refuses it to accounts that had not used it by {OBJECT_LAMBDA_CLOSED}, and everything else stands",
            cost="as the URL, and per GB returned",
            change=Change("off removes the access points", loses=("AWS::S3ObjectLambda::AccessPoint",)),
        ),
    ] = False
    bulk: Annotated[
        BulkSettings | None,
        Setting(
            "the batch door; null for none",
            cost="nothing while idle; 5.61 to 6.14 per million photographs",
            change=Change(
                "null removes the state machine, the function that cleans up after it, and their logs",
                loses=(
                    "AWS::Events::Rule",
                    "AWS::Lambda::Function",
                    "AWS::Logs::LogGroup",
                    "AWS::StepFunctions::StateMachine",
                ),
            ),
        ),
    ] = None
    consumers: Annotated[
        tuple[ConsumerSettings, ...],
        Field(strict=False),
        Setting(
            "who reads through the function: each has an access point and a policy for its roles",
            cost=NOTHING,
            change=Change(
                "who is added comes in place; who is removed loses access point and policy",
                loses=("AWS::IAM::ManagedPolicy", "AWS::S3::AccessPoint"),
            ),
        ),
    ] = (ConsumerSettings(name="training"),)
    cache: Annotated[
        bool,
        Setting(
            "whether normalized images are kept in the work bucket",
            cost="0.023 per GB and month, 5.00 per million written",
            change=IN_PLACE,
        ),
    ] = False
    # Less would cut off the function's own limits on reading; Object Lambda waits for 60.
    timeout_seconds: Annotated[
        int,
        Field(ge=30, le=60),
        Setting("how long the function may take for a photograph", cost="bounds what one costs", change=IN_PLACE),
    ] = 30
    reserved_concurrency: Annotated[
        Annotated[int, Field(ge=1, le=10_000)] | None,
        Setting(
            "how many photographs at once, kept free for the function, and for that of each other transformation; null "
            "reserves nothing. A new account has 10 in all and can reserve none",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = None
    log_retention_days: Annotated[
        LogDays,
        Setting(
            "how long the function's log is kept",
            cost="0.50 per GB written, 0.03 per GB and month kept",
            change=IN_PLACE,
        ),
    ] = 30

    @property
    def transformations(self) -> tuple[str, ...]:
        """What the function transforms; it can always do what a consumer gets who has chosen nothing."""
        return tuple(dict.fromkeys([DEFAULT_TRANSFORMATION, *(each.transformation for each in self.consumers)]))

    @property
    def has_doors(self) -> bool:
        """Whether there is any way in."""
        return self.answers_requests or self.bulk is not None

    @property
    def answers_requests(self) -> bool:
        """Whether there is a way in for single images."""
        return self.function_url or self.object_lambda

    @model_validator(mode="after")
    def _check_consumers(self) -> Self:
        names = [pascal_name(consumer.name) for consumer in self.consumers]
        if len(set(names)) < len(names):
            raise ValueError("every consumer needs its own name, which differs in more than hyphens")
        if self.object_lambda and not names:
            raise ValueError("object_lambda gives each consumer a door, and there is no consumer")
        return self
