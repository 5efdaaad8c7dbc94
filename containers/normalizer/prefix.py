"""The photographs below a prefix, without those that have been normalized."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from headrace.normalizer.formats import list_suffixes
from headrace.s3.addresses import S3Address

from .normalized_images import Photograph
from .sharing import EVERYTHING, Share
from .storage import Storage, StoredObject
from .tally import Result, Tally

IMAGE_SUFFIXES: Final = list_suffixes()
# A photograph that was replaced while it was being normalized is as old as the result, or a little younger; one that
# was uploaded in parts has the time at which that began. So young normalized images are asked what they were made of.
_DOUBTFUL: Final = timedelta(minutes=15)


def find_photographs(
    storage: Storage, prefix: S3Address, normalized_images: S3Address, tally: Tally, share: Share = EVERYTHING
) -> Iterator[Photograph]:
    """An instance's photographs whose normalized images are missing, outdated or doubtful; all others are counted."""
    photographs = _select_photographs(storage.list_objects(prefix), tally, share)
    for photograph, normalized in pair_with_normalized(photographs, storage.list_objects(normalized_images)):
        age = normalized.modified - photograph.modified if normalized else None
        if age is not None and age >= _DOUBTFUL:
            tally.count(Result.KEPT)
            continue
        is_doubtful = age is not None and age >= timedelta(0)
        yield Photograph(prefix.join(photograph.path), photograph.path, photograph.etag, may_be_normalized=is_doubtful)


def pair_with_normalized(
    photographs: Iterable[StoredObject], normalized_images: Iterable[StoredObject]
) -> Iterator[tuple[StoredObject, StoredObject | None]]:
    """Each photograph with the normalized image of its path, if there is one; both come in the order of their paths."""
    remaining = iter(normalized_images)
    normalized = next(remaining, None)
    for photograph in photographs:
        while normalized is not None and normalized.path < photograph.path:
            normalized = next(remaining, None)
        yield photograph, normalized if normalized is not None and normalized.path == photograph.path else None


def _select_photographs(objects: Iterable[StoredObject], tally: Tally, share: Share) -> Iterator[StoredObject]:
    for found in objects:
        if found.path.endswith("/") or not found.path or not share.takes(found.path):
            continue
        if found.path.lower().endswith(IMAGE_SUFFIXES):
            yield found
        else:
            tally.skip()
