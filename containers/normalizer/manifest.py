"""The images of an augmented manifest, and the manifest of their pictures.

An augmented manifest is JSON Lines, an object a line, whose `source-ref` is the address of an image:
https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html
"""

import json
from collections.abc import Collection, Iterator
from typing import IO, Any, Final

from headrace.s3.addresses import S3Address, S3AddressError

from .failures import SourceError
from .pictures import Image

SOURCE_REFERENCE: Final = "source-ref"


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
        for line, record in self._read_records():
            place = self._parse_reference(line, record)
            yield Image(place, name_picture(place), may_have_picture=True, line=line)

    def write_normalized(self, target: IO[bytes], pictures: S3Address, without: Collection[int]) -> None:
        """Write the same lines about the pictures, without those of some numbers."""
        for line, record in self._read_records():
            if line not in without:
                picture = pictures.join(name_picture(self._parse_reference(line, record)))
                text = json.dumps({**record, SOURCE_REFERENCE: str(picture)}, ensure_ascii=False, separators=(",", ":"))
                target.write(f"{text}\n".encode())

    def _read_records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._file.seek(0)
        for line, raw in enumerate(self._file, start=1):
            if raw.strip():
                yield line, self._parse_record(line, raw)

    def _parse_record(self, line: int, raw: bytes) -> dict[str, Any]:
        try:
            record = json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise self._refuse(line, "not a JSON object in UTF-8")
        return record

    def _parse_reference(self, line: int, record: dict[str, Any]) -> S3Address:
        reference = record.get(SOURCE_REFERENCE)
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
