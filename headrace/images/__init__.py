"""Normalized images for training code, through whichever door of the normalizer there is."""

from headrace.images.addresses import Address, DoorError, find_address, parse_address
from headrace.images.dataset import NormalizedImage, read_listed, read_manifest, read_normalized_images
from headrace.images.errors import (
    NormalizedImageError,
    NormalizedImageRefusedError,
    NormalizedImageThrottledError,
    NormalizedImageUnavailableError,
)
from headrace.images.reader import NormalizedImageReader, open_normalized
from headrace.manifest import ManifestError

__all__ = [
    "Address",
    "DoorError",
    "ManifestError",
    "NormalizedImage",
    "NormalizedImageError",
    "NormalizedImageReader",
    "NormalizedImageRefusedError",
    "NormalizedImageThrottledError",
    "NormalizedImageUnavailableError",
    "find_address",
    "open_normalized",
    "parse_address",
    "read_listed",
    "read_manifest",
    "read_normalized_images",
]
