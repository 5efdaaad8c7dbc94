"""One image's way to its picture."""

from threading import BoundedSemaphore
from typing import Final, NamedTuple

from containers.shared.cpus import count_cpus
from containers.shared.job.free_memory import find_free_memory
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options
from headrace.s3.addresses import S3Address

from . import contract
from .memory import MemoryBudget, share_memory
from .storage import OpenObject, Storage, UnchangedError
from .tally import Outcome

_LIMITS: Final = Limits()


class Image(NamedTuple):
    """An image whose picture is to be looked at or made.

    Args:
        place: Where the image is.
        path: Where its picture goes, below those of the destination.
        etag: The version that was listed; None where nothing was listed.
        may_have_picture: Whether there may be a picture of this version.
        line: Its line in a manifest.
    """

    place: S3Address
    path: str
    etag: str | None = None
    may_have_picture: bool = False
    line: int = 0


class PictureMaker:
    """Makes pictures: as many threads as there are processors, and memory for, decode while the others wait for S3.

    Args:
        storage: S3.
        pictures: The prefix of the pictures.
        options: The pictures that are asked for.
    """

    def __init__(self, storage: Storage, pictures: S3Address, options: Options) -> None:
        self._storage = storage
        self._pictures = pictures
        self._options = options
        shares = share_memory(find_free_memory(), count_cpus(), _LIMITS)
        self._memory = MemoryBudget(shares.file_bytes)
        self._makers = BoundedSemaphore(shares.makers)

    def make(self, image: Image) -> Outcome:
        """Make an image's picture, unless there is one of the same version of the image.

        Raises:
            NormalizeError: If the image is refused.
            ObjectError: If S3 does not give the image or take the picture.
        """
        place = self._pictures.join(image.path)
        known = self._find_source_etag(place) if image.may_have_picture else None
        if known and known == image.etag:
            return Outcome.KEPT
        try:
            with self._storage.open(image.place, if_etag=image.etag, unless_etag=known) as original:
                picture = self._normalize(original)
        except UnchangedError:
            return Outcome.KEPT
        metadata = {contract.SOURCE_ETAG: original.etag.strip('"')}
        self._storage.write(place, picture, self._options.output_format.media_type, metadata)
        return Outcome.MADE

    def _find_source_etag(self, picture: S3Address) -> str | None:
        metadata = self._storage.read_metadata(picture)
        return f'"{metadata[contract.SOURCE_ETAG]}"' if metadata and contract.SOURCE_ETAG in metadata else None

    def _normalize(self, original: OpenObject) -> bytes:
        _LIMITS.check_file(original.size)
        with self._memory.hold(original.size):
            body = original.read()
            with self._makers:
                return normalize(body, self._options, _LIMITS)
