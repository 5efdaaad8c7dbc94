"""What a run asks of a workload, and what a workload finds around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, TypeVar

from headrace.recipes import Recipe
from headrace.workloads.delivery import Delivery, Place

ASKED: Final = 5
# How much of its data a run makes the input of a batch.
IN_BATCH: Final = 100
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One thing the endpoint was asked about, what it answered and, where it is known, the truth."""

    asked: str
    predicted: float | str
    actual: float | str | None


@dataclass(frozen=True)
class Answers:
    """What an endpoint was asked and answered.

    Args:
        predictions: Some of it.
        metrics: How good all of it is, by name, where only asking shows it; empty where the training job reports it.
    """

    predictions: Sequence[Prediction]
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Which metrics of an execution, and of its answers, people want to see.

    Args:
        columns: How each column is formatted, by its title.
        rows: The metrics in the columns, for the model and for the naive answer.
        of_answers: Those that the training job does not report.
    """

    columns: Mapping[str, str]
    rows: Mapping[str, tuple[str, ...]]
    of_answers: frozenset[str] = frozenset()


class Site(Protocol):
    """A deployed platform as a run finds it."""

    @property
    def raw_bucket(self) -> str:
        """The bucket that raw data goes into."""

    @property
    def delivery(self) -> Delivery:
        """What runs have brought there."""

    def read_training_request(self, recipe: Recipe) -> Mapping[str, Any]:
        """What the deployed state machine asks of SageMaker for training."""

    def find_place(self, source: Mapping[str, Any]) -> Place | None:
        """Where a channel's data source reads files that a run can bring; none for what something else makes."""

    def find_batch(self, recipe: Recipe) -> Place | None:
        """Where the deployed state machine reads a batch; none where it serves an endpoint."""

    def open_channel(self, name: str) -> Place:
        """What the training job of the run has read through a channel."""

    def invoke(self, endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
        """What an endpoint answers."""


class Workload(Protocol):
    """A workload with the data of one run."""

    recipe: ClassVar[Recipe]
    scores: ClassVar[Scores]
    data: str

    def __init__(self, given: Path | None, scratch: Path) -> None:
        """Take the data that are given, or make some up in a folder for that."""

    def bring_data(self, site: Site) -> None:
        """Put the data where the pipeline reads it, over what earlier runs put there.

        Raises:
            ForeignDataError: If somebody else has put some there.
        """

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask the endpoint about some of the data, as a client would."""

    def bring_batch(self, site: Site, place: Place) -> None:
        """Make some of the data the batch that the model is asked about, unless somebody else has put one there."""

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to some of a batch."""


def spread(items: Sequence[Item], most: int = ASKED) -> list[Item]:
    """A few of the items, spread over all of them."""
    return list(items[:: max(1, len(items) // most)][:most])
