"""Going over many images, several at a time and in their order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from headrace.images.errors import ImageRefusedError
from headrace.images.reader import ImageReader
from headrace.lst import ListRow, read_lst
from headrace.manifest import records
from headrace.manifest.records import SOURCE_REFERENCE, ManifestError
from headrace.s3.addresses import S3Address, names_object

# So many images per thread are read ahead of whoever uses them.
_AHEAD: Final = 2

Label = TypeVar("Label")


@dataclass(frozen=True)
class ReadImage(Generic[Label]):
    """An image that has been read.

    Args:
        key: Its key.
        label: What the list or manifest has on it.
        body: The normalized image's bytes.
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
    """The normalized images of photographs, in their order, read by as many threads as the reader has connections.

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
    """The normalized images of a list, in its order.

    Args:
        lst: The list.
        reader: Reads them.
        prefix: Where the list's paths begin: `images/photographs/`.
        refused: As for `read_images`.
    """
    return read_images(((prefix + row.path, row) for row in read_lst(lst)), reader, refused=refused)


def read_manifest(
    manifest: Path, reader: ImageReader, *, refused: Callable[[ImageRefusedError], None] | None = None
) -> Iterator[ReadImage[Mapping[str, Any]]]:
    """The normalized images of an augmented manifest, in its order, each with its line.

    Args:
        manifest: The manifest; its images are in the bucket that the reader's door leads to.
        reader: Reads them.
        refused: As for `read_images`.

    Raises:
        ManifestError: If a line names no image.
    """
    return read_images(_find_keys(manifest), reader, refused=refused)


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


def _find_keys(manifest: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for record in records.read_manifest(manifest):
        address = str(record.data.get(SOURCE_REFERENCE))
        if not names_object(address):
            raise ManifestError(
                f"{manifest}, line {record.line}: {SOURCE_REFERENCE!r} does not hold the S3 address of an image"
            )
        yield S3Address.parse(address).key, record.data
