"""The settings of batch transform: one job serves every record of some objects, instead of an endpoint that stays."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from stacks.settings.instance_types import TransformInstanceType
from stacks.settings.jobs import ProcessingSeconds
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Section, Setting

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
_MOST_PAYLOAD_MB: Final = 100
# Content types whose records are lines; of all others each object is one record.
_LINES: Final = ("text/csv", "application/jsonlines")


def _check_input(prefix: str) -> str:
    if prefix.startswith("/") or {".", ".."}.intersection(prefix.split("/")):
        raise ValueError("a prefix neither starts with '/' nor leads through '.' or '..'")
    return prefix


class TransformSettings(Section):
    """The transform job: what it reads, its machines and how it asks the model."""

    input: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9!_.*'()/=-]*$", max_length=500),
        AfterValidator(_check_input),
        Allowed("text of at most 500 letters, digits and `!_.*'()/=-`, without a `/` at its start"),
        Setting(
            "the prefix of the input, below `transform/WORKLOAD/` in the raw bucket; everything there if empty",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = ""
    instance_type: Annotated[
        TransformInstanceType,
        Setting("its machines", cost="by the second while it runs; ml.m5.xlarge 0.23 an hour", change=NEXT_EXECUTION),
    ] = "ml.m5.xlarge"
    instance_count: Annotated[
        int,
        Field(ge=1, le=100),
        Setting("how many machines share the objects of the input", cost="in proportion", change=NEXT_EXECUTION),
    ] = 1
    max_runtime_seconds: ProcessingSeconds = 3600
    max_payload_mb: Annotated[
        int,
        Field(ge=1, le=_MOST_PAYLOAD_MB),
        Setting("how large a request to the model may be", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 6


class LineTransformSettings(TransformSettings):
    """The transform job of a model that is asked with records, each a line."""

    strategy: Annotated[
        Literal["MultiRecord", "SingleRecord"],
        Setting(
            "whether a request has as many records as fit, or one",
            cost="more of the machines' time with one",
            change=NEXT_EXECUTION,
        ),
    ] = "MultiRecord"
    join_input: Annotated[
        bool,
        Setting(
            "whether each line of the output begins with its line of the input",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = True


def reads_lines(content_type: str) -> bool:
    """Whether each line of an object of this content type is a record."""
    return content_type in _LINES
