"""Going over many images, several at a time and in their order."""

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from millrace.images.errors import ImageRefusedError
from millrace.images.reader import ImageReader
from millrace.lst import ListRow, read_lst

# So many images per thread are read ahead of whoever uses them.
_AHEAD: Final = 2
_SOURCE: Final = "source-ref"

Label = TypeVar("Label")


class ManifestError(Exception):
    """A manifest that names no image where it should; its message says on which line."""


@dataclass(frozen=True)
class ReadImage(Generic[Label]):
    """An image that has been read.

    Args:
        key: Its key.
        label: What the list or manifest has on it.
        body: The picture's bytes.
    """

    key: str
    label: Label
    body: bytes


def read_images(
    references: Iterable[tuple[str, Label]],
    reader: ImageReader,
    *,
    refused: Callable[[ImageRefusedError], None] | None = None,
) -> Generator[ReadImage[Label], None, None]:
    """The pictures of images, in their order, read by as many threads as the reader has connections.

    Args:
        references: Keys, and what belongs to each.
        reader: Reads them.
        refused: Told of an image that is refused, which is then left out; without it, the first one ends the reading.

    Raises:
        ImageRefusedError: If an image is refused and nobody wants to be told.
        ImageUnavailableError: If an image does not come.
    """
    waiting: deque[tuple[str, Label, Future[bytes]]] = deque()
    with ThreadPoolExecutor(reader.connections) as threads:
        try:
            for key, label in references:
                waiting.append((key, label, threads.submit(reader.read, key)))
                if len(waiting) >= _AHEAD * reader.connections:
                    yield from _take(*waiting.popleft(), refused)
            while waiting:
                yield from _take(*waiting.popleft(), refused)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def read_listed(
    lst: Path,
    reader: ImageReader,
    *,
    prefix: str,
    refused: Callable[[ImageRefusedError], None] | None = None,
) -> Iterator[ReadImage[ListRow]]:
    """The pictures of a list's images, in its order.

    Args:
        lst: The list.
        reader: Reads them.
        prefix: Where the list's paths begin: `images/pictures/`.
        refused: As for `read_images`.
    """
    return read_images(((prefix + row.path, row) for row in read_lst(lst)), reader, refused=refused)


def read_manifest(
    manifest: Path, reader: ImageReader, *, refused: Callable[[ImageRefusedError], None] | None = None
) -> Iterator[ReadImage[dict[str, Any]]]:
    """The pictures of an augmented manifest's images, in its order, each with its line.

    Args:
        manifest: The manifest; its images are in the bucket that the reader's door leads to.
        reader: Reads them.
        refused: As for `read_images`.

    Raises:
        ManifestError: If a line names no image.
    """
    return read_images(_read_lines(manifest), reader, refused=refused)


def _take(
    key: str, label: Label, future: Future[bytes], refused: Callable[[ImageRefusedError], None] | None
) -> Iterator[ReadImage[Label]]:
    try:
        body = future.result()
    except ImageRefusedError as error:
        if refused is None:
            raise
        refused(error)
        return
    yield ReadImage(key, label, body)


def _read_lines(manifest: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with manifest.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                record = _parse_line(manifest, number, line)
                yield urlsplit(record[_SOURCE]).path.removeprefix("/"), record


def _parse_line(manifest: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ManifestError(f"{manifest}, line {number}: not JSON: {error}") from error
    if not isinstance(record, dict) or not str(record.get(_SOURCE, "")).startswith("s3://"):
        raise ManifestError(f"{manifest}, line {number}: '{_SOURCE}' does not hold the S3 address of an image")
    return record
