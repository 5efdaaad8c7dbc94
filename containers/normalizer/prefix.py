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
    for photograph in list_photographs(storage, prefix, normalized_images, tally, share, others=False):
        if photograph.is_normalized:
            tally.count(Result.KEPT)
        else:
            yield photograph


def list_photographs(
    storage: Storage, prefix: S3Address, normalized_images: S3Address, tally: Tally, share: Share, *, others: bool
) -> Iterator[Photograph]:
    """An instance's photographs, or also those of others, in S3's order; its part of what else there is, is counted."""
    found = _select_photographs(storage.list_objects(prefix), tally, share, others=others)
    for photograph, normalized in pair_with_normalized(found, storage.list_objects(normalized_images)):
        age = normalized.modified - photograph.modified if normalized else None
        yield Photograph(
            prefix.join(photograph.path),
            photograph.path,
            photograph.etag,
            may_be_normalized=age is not None and timedelta(0) <= age < _DOUBTFUL,
            is_normalized=age is not None and age >= _DOUBTFUL,
        )


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


def _select_photographs(
    objects: Iterable[StoredObject], tally: Tally, share: Share, *, others: bool
) -> Iterator[StoredObject]:
    for found in objects:
        if found.path.endswith("/") or not found.path:
            continue
        is_photograph = found.path.lower().endswith(IMAGE_SUFFIXES)
        if is_photograph and (others or share.takes(found.path)):
            yield found
        elif not is_photograph and share.takes(found.path):
            tally.skip()
