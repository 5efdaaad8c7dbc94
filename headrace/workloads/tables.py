"""Workloads whose raw data is a CSV file with a header."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from headrace.recipes import Recipe
from headrace.workloads.delivery import Place, Prefix, refuse_foreign
from headrace.workloads.workload import Prediction, Site, spread

CSV: Final = "text/csv"


class TableRun(ABC):
    """A file of rows, made up where none is given."""

    recipe: ClassVar[Recipe]
    made_up_file: ClassVar[str]

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
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

    def bring_data(self, site: Site) -> None:
        """Put the file into the raw bucket, over what earlier runs put there.

        Without your own file, data that somebody else has put there are used instead of generated rows.
        """
        place = Prefix(site.raw_bucket, self.recipe.raw_prefix)
        foreign = site.delivery.find_foreign([place], matters=lambda name: name.lower().endswith(".csv"))
        if foreign and not self._given:
            self.data = place.address
            self._file = _fetch(place, foreign[place][0], self._scratch / "asked.csv")
            return
        refuse_foreign(foreign)
        site.delivery.bring(place, {self._file.name: self._file})

    def ask_endpoint(self, site: Site, endpoint_name: str) -> list[Prediction]:
        """Ask about a few rows, spread over the file."""
        return self.ask_about(spread(read_rows(self._file)), site, endpoint_name)


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


def _fetch(place: Place, name: str, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(place.read(name))
    return file
