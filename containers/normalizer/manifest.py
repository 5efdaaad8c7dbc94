"""The images of an augmented manifest (`headrace.manifest.records`), and the manifest of their pictures."""

from collections.abc import Collection, Iterator
from typing import IO

from headrace.lst.problems import Problem
from headrace.manifest.records import SOURCE_REFERENCE, Record, format_record, parse_line
from headrace.s3.addresses import S3Address, S3AddressError

from .failures import SourceError
from .pictures import Image


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
        if not sum(1 for _ in self.find_images()):
            raise SourceError(f"{self._place} has no line; it needs one for each image")

    def find_images(self) -> Iterator[Image]:
        """The image of each line, of whose picture nothing is known yet."""
        for record in self._read_records():
            place = self._parse_reference(record)
            yield Image(place, name_picture(place), may_have_picture=True, line=record.line)

    def write_normalized(self, target: IO[bytes], pictures: S3Address, without: Collection[int]) -> None:
        """Write the same lines about the pictures, without those of some numbers."""
        for record in self._read_records():
            if record.line not in without:
                picture = pictures.join(name_picture(self._parse_reference(record)))
                text = format_record({**record.data, SOURCE_REFERENCE: str(picture)})
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
            raise self._refuse(line, f"no {SOURCE_REFERENCE!r} with the address of an image")
        try:
            place = S3Address.parse(reference)
        except S3AddressError as error:
            raise self._refuse(line, f"{SOURCE_REFERENCE}: {error}") from None
        if place.is_folder:
            raise self._refuse(line, f"{SOURCE_REFERENCE}: {reference!r} names no object")
        return place

    def _refuse(self, line: int, problem: str) -> SourceError:
        return SourceError(f"{self._place}, line {line}: {problem}; correct the line or remove it")


def name_picture(image: S3Address) -> str:
    """Where the picture of a manifest's image goes: its bucket is part of the path, as two may have the same keys."""
    return f"{image.bucket}/{image.key}"
