"""The photographs of an augmented manifest (`headrace.manifest.records`), and that of their normalized images."""

from collections.abc import Collection, Iterator
from typing import IO

from headrace.lst.problems import Problem
from headrace.manifest.records import SOURCE_REFERENCE, Record, format_record, parse_line
from headrace.s3.addresses import S3Address, S3AddressError

from .failures import SourceError
from .normalized_images import Photograph
from .sharing import EVERYTHING, Share


class Manifest:
    """A manifest that was downloaded.

    Args:
        place: Where it came from.
        file: Where it is now.
    """

    def __init__(self, place: S3Address, file: IO[bytes]) -> None:
        self._place = place
        self._file = file

    def check(self) -> None:
        """Read every line once, before anything is made of any.

        Raises:
            SourceError: For the first line that is wrong.
        """
        if not sum(1 for _ in self.find_photographs()):
            raise SourceError(f"{self._place} has no line; it needs one for each photograph")

    def find_photographs(self, share: Share = EVERYTHING) -> Iterator[Photograph]:
        """The photograph of each line of an instance's part; whether it has been normalized is not known yet."""
        for record in self._read_records():
            place = self._parse_reference(record)
            path = name_normalized_image(place)
            if share.takes(path):
                yield Photograph(place, path, may_be_normalized=True, line=record.line)

    def write_normalized(self, target: IO[bytes], normalized_images: S3Address, without: Collection[int]) -> None:
        """Write the same lines about the normalized images, without the lines of some numbers."""
        for record in self._read_records():
            if record.line not in without:
                normalized = normalized_images.join(name_normalized_image(self._parse_reference(record)))
                text = format_record({**record.data, SOURCE_REFERENCE: str(normalized)})
                target.write(f"{text}\n".encode())

    def _read_records(self) -> Iterator[Record]:
        self._file.seek(0)
        for line, raw in enumerate(self._file, start=1):
            if raw.strip():
                record = parse_line(line, raw)
                if isinstance(record, Problem):
                    raise self._refuse(line, record.text)
                yield record

    def _parse_reference(self, record: Record) -> S3Address:
        line, reference = record.line, record.data.get(SOURCE_REFERENCE)
        if not isinstance(reference, str):
            raise self._refuse(line, f"no {SOURCE_REFERENCE!r} with the address of a photograph")
        try:
            place = S3Address.parse(reference)
        except S3AddressError as error:
            raise self._refuse(line, f"{SOURCE_REFERENCE}: {error}") from None
        if place.is_folder:
            raise self._refuse(line, f"{SOURCE_REFERENCE}: {reference!r} names no object")
        return place

    def _refuse(self, line: int, problem: str) -> SourceError:
        return SourceError(f"{self._place}, line {line}: {problem}; correct the line or remove it")


def name_normalized_image(photograph: S3Address) -> str:
    """Where a manifest's photograph goes, normalized: its bucket is part of the path, as two may have the same keys."""
    return f"{photograph.bucket}/{photograph.key}"
