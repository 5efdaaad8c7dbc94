"""Sales of Big Mart whose model takes encoded rows: a run asks about some that were held out."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from headrace.errors import HeadraceError
from headrace.workloads import sales
from headrace.workloads.delivery import Place
from headrace.workloads.tables import TableRun
from headrace.workloads.workload import Answers, Prediction, Site, spread

# The label, and the features.
Row = tuple[float, Sequence[float]]


class EncodedBatchError(HeadraceError):
    """A batch that only its owner can make."""


class EncodedRun(TableRun):
    """A file of Big Mart sales, made up where none is given; the endpoint is asked about rows that were held out."""

    made_up_file: ClassVar[str] = "made_up_sales.csv"
    validation_channel: ClassVar[str] = "validation"
    title: ClassVar[str]

    @abstractmethod
    def read_held_out(self, content: bytes) -> Iterator[Row]:
        """The rows of a file of the channel that the model was judged by."""

    @abstractmethod
    def ask_about_encoded(self, rows: Sequence[Sequence[float]], site: Site, endpoint_name: str) -> list[float]:
        """What the endpoint answers to some rows."""

    @abstractmethod
    def has_classes(self, hyperparameters: Mapping[str, str]) -> bool:
        """Whether labels are numbers of ranges."""

    def make_up(self, file: Path) -> None:
        """Write made-up sales."""
        sales.write_csv(file)

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask about a few rows that were held out: the algorithm takes features, as preprocessing has encoded them."""
        place = site.open_channel(self.validation_channel)
        name = min(place.list_files())
        asked = spread(list(enumerate(self.read_held_out(place.read(name)), start=1)))
        answers = self.ask_about_encoded([features for _, (_, features) in asked], site, endpoint_name)
        word = "range " if self.has_classes(site.read_training_request(self.recipe)["HyperParameters"]) else ""
        return Answers(
            [
                Prediction(asked=f"row {number} of {name}", predicted=_name(word, value), actual=_name(word, label))
                for (number, (label, _)), value in zip(asked, answers, strict=True)
            ]
        )

    def ask_about(self, rows: Sequence[Mapping[str, str]], site: Site, endpoint_name: str) -> list[Prediction]:
        """Nothing can be asked about raw rows."""
        raise NotImplementedError

    def bring_batch(self, site: Site, place: Place) -> None:
        """See that there is a batch: its rows are encoded, and a run has only raw ones."""
        if not site.delivery.find_foreign([place]):
            raise EncodedBatchError(
                f"{place.address} is empty: with deploy batch, {self.title} is asked about encoded rows, which a run "
                "cannot make up; copy the features of a test output there, without the label"
            )


def format_csv(rows: Sequence[Sequence[float]]) -> bytes:
    """Rows as CSV without a header."""
    return "".join(f"{','.join(map(str, row))}\n" for row in rows).encode()


def _name(word: str, value: float) -> float | str:
    return f"{word}{value:.0f}" if word else value
