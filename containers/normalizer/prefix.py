"""The images below a prefix, without those that have their pictures already."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from headrace.normalizer.formats import list_suffixes
from headrace.s3.addresses import S3Address

from .pictures import Image
from .storage import Storage, StoredObject
from .tally import Outcome, Tally

IMAGE_SUFFIXES: Final = list_suffixes()
# An image that was replaced while its picture was being made is as old as the picture, or a little younger; one that
# was uploaded in parts has the time at which that began. So young pictures are asked what they were made of.
_DOUBTFUL: Final = timedelta(minutes=15)


def find_images(storage: Storage, prefix: S3Address, pictures: S3Address, tally: Tally) -> Iterator[Image]:
    """The images whose pictures are missing, outdated or doubtful; what is not among them is counted."""
    images = _select_images(storage.list_objects(prefix), tally)
    for image, picture in pair_with_pictures(images, storage.list_objects(pictures)):
        age = picture.modified - image.modified if picture else None
        if age is not None and age >= _DOUBTFUL:
            tally.count(Outcome.KEPT)
            continue
        is_doubtful = age is not None and age >= timedelta(0)
        yield Image(prefix.join(image.path), image.path, image.etag, may_have_picture=is_doubtful)


def pair_with_pictures(
    images: Iterable[StoredObject], pictures: Iterable[StoredObject]
) -> Iterator[tuple[StoredObject, StoredObject | None]]:
    """Each image with the picture of its path, if there is one; both come in the order of their paths."""
    remaining = iter(pictures)
    picture = next(remaining, None)
    for image in images:
        while picture is not None and picture.path < image.path:
            picture = next(remaining, None)
        yield image, picture if picture is not None and picture.path == image.path else None


def _select_images(objects: Iterable[StoredObject], tally: Tally) -> Iterator[StoredObject]:
    for found in objects:
        if found.path.endswith("/") or not found.path:
            continue
        if found.path.lower().endswith(IMAGE_SUFFIXES):
            yield found
        else:
            tally.skip()
