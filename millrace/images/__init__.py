"""Normalized images for training code, through whichever door of the normalizer there is."""

from millrace.images.addresses import Address, AddressError, find_address, parse_address
from millrace.images.dataset import ReadImage, read_images, read_listed, read_manifest
from millrace.images.errors import ImageError, ImageRefusedError, ImageUnavailableError
from millrace.images.reader import ImageReader, open_normalized
from millrace.manifest import ManifestError

__all__ = [
    "Address",
    "AddressError",
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
