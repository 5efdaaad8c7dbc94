"""Normalized images for training code, through whichever door of the normalizer there is."""

from headrace.images.addresses import Address, DoorError, find_address, parse_address
from headrace.images.dataset import ReadImage, read_images, read_listed, read_manifest
from headrace.images.errors import ImageError, ImageRefusedError, ImageUnavailableError
from headrace.images.reader import ImageReader, open_normalized
from headrace.manifest import ManifestError

__all__ = [
    "Address",
    "DoorError",
    "ImageError",
    "ImageReader",
    "ImageRefusedError",
    "ImageUnavailableError",
    "ManifestError",
    "ReadImage",
    "find_address",
    "open_normalized",
    "parse_address",
    "read_images",
    "read_listed",
    "read_manifest",
]
