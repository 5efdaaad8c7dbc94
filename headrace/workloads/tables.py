"""Workloads whose raw data is a CSV file with a header."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from headrace.recipes import Recipe
from headrace.workloads.delivery import Place, Prefix, bring_file
from headrace.workloads.workload import IN_BATCH, Answers, Prediction, Site, spread

CSV: Final = "text/csv"
_BATCH_FILE: Final = "batch.csv"


class TableRun(ABC):
    """A file of rows, made up where none is given.

    A workload whose model answers with a column names it as `answered`: a batch has rows without it.
    """

    recipe: ClassVar[Recipe]
    made_up_file: ClassVar[str]
    answered: ClassVar[str | None] = None

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
        self._batch: dict[str, Mapping[str, str]] = {}
        self._file = given or scratch / self.made_up_file
        if given is None:
            scratch.mkdir(parents=True, exist_ok=True)
            self.make_up(self._file)

    @abstractmethod
    def make_up(self, file: Path) -> None:
        """Write made-up rows."""

    @abstractmethod
    def ask_about(self, rows: Sequence[Mapping[str, str]], site: Site, endpoint_name: str) -> list[Prediction]:
        """Ask the endpoint about some rows."""

    def describe(self, row: Mapping[str, str]) -> str:
        """What a row is called in a summary: its first cell, unless a workload knows better."""
        return next(iter(row.values()), "")

    def bring_data(self, site: Site) -> None:
        """Put the file into the raw bucket, or use what somebody else has put there instead of generated rows."""
        place = Prefix(site.raw_bucket, self.recipe.raw_prefix)
        self._file, foreign = bring_file(
            site.delivery, place, self._file, is_given=self._given, ending=".csv", scratch=self._scratch
        )
        if foreign:
            self.data = place.address

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask about a few rows, spread over the file."""
        return Answers(self.ask_about(spread(read_rows(self._file)), site, endpoint_name))

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put some of the rows there, without a header and what the model is asked for."""
        if site.delivery.find_foreign([place]):
            return
        lines = {self._to_line(row): row for row in spread(read_rows(self._file), IN_BATCH)}
        # A job takes each line for a record.
        self._batch = {line: row for line, row in lines.items() if "\n" not in line and "\r" not in line}
        file = self._scratch / _BATCH_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in self._batch), encoding="utf-8", errors="surrogateescape")
        site.delivery.bring(place, {file.name: file})

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few rows, spread over the first object of the batch."""
        name = min(given.list_files())
        lines, answered = (
            body.decode("utf-8", errors="surrogateescape").splitlines()
            for body in (given.read(name), answers.read(f"{name}.out"))
        )
        return [self._read_answer(line, answer) for line, answer in spread(list(zip(lines, answered, strict=False)))]

    def _to_line(self, row: Mapping[str, str]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([cell for name, cell in row.items() if name != self.answered])
        return text.getvalue()

    def _read_answer(self, line: str, answer: str) -> Prediction:
        """An answer, which a job that joins puts behind what it was asked."""
        row = self._batch.get(line)
        actual = row.get(self.answered) if row and self.answered else None
        return Prediction(
            asked=self.describe(row) if row else next(csv.reader([line]))[0],
            predicted=_read_value(answer.removeprefix(f"{line},")),
            actual=_read_value(actual) if actual else None,
        )


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file: without blank lines and a byte order mark, as jobs read it."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        records = filter(None, csv.reader(lines))
        header = next(records)
        return [dict(zip(header, record, strict=False)) for record in records]


def to_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _read_value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
