"""The way from one photograph to its normalized image."""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Final, NamedTuple, TypeVar

from PIL import Image

from containers.shared.job.free_memory import find_free_memory
from headrace.cpus import count_cpus
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize, normalize_to_pixels
from headrace.normalizer.options import Options
from headrace.s3.addresses import S3Address

from . import contract
from .memory import MemoryBudget, share_memory
from .storage import AbsentObjectError, ObjectError, Storage, UnchangedError
from .tally import Result

_LIMITS: Final = Limits()

T = TypeVar("T")


class Photograph(NamedTuple):
    """A photograph to normalize, unless that has been done.

    Args:
        place: Where the photograph is.
        path: Where its normalized image goes, below the destination's prefix.
        etag: The version that was listed; None where nothing was listed.
        may_be_normalized: Whether there may be a normalized image of this version.
        is_normalized: Whether there is one for certain.
        line: Its line in a manifest.
    """

    place: S3Address
    path: str
    etag: str | None = None
    may_be_normalized: bool = False
    is_normalized: bool = False
    line: int = 0


class Made(NamedTuple):
    """What came of a photograph, and its normalized image if that was made just now."""

    result: Result
    body: bytes | None = None


_KEPT: Final = Made(Result.KEPT)


class NormalizedImageMaker:
    """Normalizes: as many threads as there are processors, and memory for, decode while the others wait for S3.

    Args:
        storage: S3.
        normalized_images: Their prefix.
        options: The normalized images that are asked for.
    """

    def __init__(self, storage: Storage, normalized_images: S3Address, options: Options) -> None:
        self._storage = storage
        self._normalized_images = normalized_images
        self._options = options
        shares = share_memory(find_free_memory(), count_cpus(), _LIMITS)
        self._memory = MemoryBudget(shares.file_bytes)
        self._makers = BoundedSemaphore(shares.makers)

    def make(self, photograph: Photograph) -> Made:
        """Normalize a photograph, unless this version of it has been normalized.

        Raises:
            NormalizeError: If the photograph is refused.
            ObjectError: If S3 does not give the photograph or take the normalized image.
        """
        if photograph.is_normalized:
            return _KEPT
        place = self._normalized_images.join(photograph.path)
        known = self._find_source_etag(place) if photograph.may_be_normalized else None
        if known and known == photograph.etag:
            return _KEPT
        try:
            with self._storage.open(photograph.place, if_etag=photograph.etag, unless_etag=known) as original:
                normalized = self._process(original.size, original.read, normalize)
        except UnchangedError:
            return _KEPT
        metadata = {contract.SOURCE_ETAG: original.etag.strip('"')}
        self._storage.write(place, normalized, self._options.output_format.media_type, metadata)
        return Made(Result.MADE, normalized)

    def make_pixels(self, photograph: Photograph) -> tuple[Result, Image.Image]:
        """As `make`, and the pixels of the normalized image, the same whether it was made just now or earlier.

        Raises:
            NormalizeError: If the photograph or its normalized image is refused.
            ObjectError: If S3 does not give one of them or take the normalized image.
        """
        made = self.make(photograph)
        if (body := made.body) is not None:
            return made.result, self._process(len(body), lambda: body, normalize_to_pixels)
        place = self._normalized_images.join(photograph.path)
        try:
            with self._storage.open(place) as normalized:
                return made.result, self._process(normalized.size, normalized.read, normalize_to_pixels)
        except AbsentObjectError:
            raise ObjectError(place, "NoSuchKey", "it was removed while the job ran; run the job again") from None

    def _find_source_etag(self, normalized: S3Address) -> str | None:
        metadata = self._storage.read_metadata(normalized)
        return f'"{metadata[contract.SOURCE_ETAG]}"' if metadata and contract.SOURCE_ETAG in metadata else None

    def _process(self, size: int, read: Callable[[], bytes], work: Callable[[bytes, Options, Limits], T]) -> T:
        """Do some work with a file of a size, within the memory and the processors that there are."""
        _LIMITS.check_file(size)
        with self._memory.hold(size):
            body = read()
            with self._makers:
                return work(body, self._options, _LIMITS)
