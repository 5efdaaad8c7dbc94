"""Going over many normalized images, several at a time and in their order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from headrace.images.errors import NormalizedImageRefusedError
from headrace.images.reader import NormalizedImageReader
from headrace.lst import ListRow, read_lst
from headrace.manifest import records
from headrace.manifest.records import SOURCE_REFERENCE, ManifestError
from headrace.s3.addresses import S3Address, names_object

# How many photographs per thread are read ahead.
_AHEAD: Final = 2

Label = TypeVar("Label")


@dataclass(frozen=True)
class NormalizedImage(Generic[Label]):
    """A normalized image that has been read.

    Args:
        key: Its key.
        label: What the list or manifest has on it.
        body: The normalized image's bytes.
    """

    key: str
    label: Label
    body: bytes


def read_normalized_images(
    references: Iterable[tuple[str, Label]],
    reader: NormalizedImageReader,
    *,
    refused: Callable[[NormalizedImageRefusedError], None] | None = None,
) -> Generator[NormalizedImage[Label], None, None]:
    """The normalized images of photographs, in their order, read by as many threads as the reader has connections.

    Args:
        references: Keys, and what belongs to each.
        reader: Reads them.
        refused: Called for each photograph that is refused, which is then left out; without it, the first one ends
            the reading.

    Raises:
        NormalizedImageRefusedError: If a photograph is refused and `refused` is not given.
        NormalizedImageUnavailableError: If a normalized image does not come.
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
    reader: NormalizedImageReader,
    *,
    prefix: str,
    refused: Callable[[NormalizedImageRefusedError], None] | None = None,
) -> Iterator[NormalizedImage[ListRow]]:
    """The normalized images of a list, in its order.

    Args:
        lst: The list.
        reader: Reads them.
        prefix: Where the list's paths begin: `images/photographs/`.
        refused: As for `read_normalized_images`.
    """
    return read_normalized_images(((prefix + row.path, row) for row in read_lst(lst)), reader, refused=refused)


def read_manifest(
    manifest: Path,
    reader: NormalizedImageReader,
    *,
    refused: Callable[[NormalizedImageRefusedError], None] | None = None,
) -> Iterator[NormalizedImage[Mapping[str, Any]]]:
    """The normalized images of an augmented manifest, in its order, each with its line.

    Args:
        manifest: The manifest; its photographs are in the bucket that the reader's door leads to.
        reader: Reads them.
        refused: As for `read_normalized_images`.

    Raises:
        ManifestError: If a line names no image.
    """
    return read_normalized_images(_find_keys(manifest), reader, refused=refused)


def _take(
    key: str, label: Label, future: Future[bytes], refused: Callable[[NormalizedImageRefusedError], None] | None
) -> Iterator[NormalizedImage[Label]]:
    try:
        body = future.result()
    except NormalizedImageRefusedError as error:
        if refused is None:
            raise
        refused(error)
        return
    yield NormalizedImage(key, label, body)


def _find_keys(manifest: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for record in records.read_manifest(manifest):
        address = str(record.data.get(SOURCE_REFERENCE))
        if not names_object(address):
            raise ManifestError(
                f"{manifest}, line {record.line}: {SOURCE_REFERENCE!r} does not hold the S3 address of a photograph"
            )
        yield S3Address.parse(address).key, record.data
