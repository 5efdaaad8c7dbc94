"""Decoding a photograph into a small square of RGB pixels, in training and at the endpoint.

What may go wrong with a photograph, and what it may cost, is the normalizer's knowledge.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from headrace.normalizer.decoding import translate_errors
from headrace.normalizer.errors import (
    NormalizeError,
    PhotographCorruptError,
    PhotographTruncatedError,
)
from headrace.normalizer.formats import detect_learnt
from headrace.normalizer.limits import LEARNT
from headrace.normalizer.normalize import finish_colours, measure_learnt, shrink
from headrace.normalizer.options import Colour, Options
from headrace.normalizer.orientation import Orientation

Pixels = NDArray[np.uint8]


class DecodingError(Exception):
    """A photograph that cannot be decoded; its message is the reason."""


def decode_photograph(source: Path | BinaryIO, side: int) -> Pixels:
    """The photograph as `side` rows of `side` RGB pixels, turned upright, transparent parts white."""
    with _naming_reasons():
        return _decode(_read(source), Options(width=side, height=side, colour=Colour.RGB))


def measure_photograph(photograph: bytes) -> tuple[tuple[int, int], Orientation]:
    """Width and height of a photograph's pixels as they are stored, and how it wants to be turned."""
    with _naming_reasons():
        return measure_learnt(photograph)


@contextmanager
def _naming_reasons() -> Iterator[None]:
    try:
        yield
    except (PhotographCorruptError, PhotographTruncatedError) as error:
        raise DecodingError(f"damaged: {error.reason}") from error
    except NormalizeError as error:
        raise DecodingError(error.reason) from error
    except OSError as error:
        raise DecodingError(f"it cannot be read: {error.strerror or error}") from error


def _read(source: Path | BinaryIO) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _read(file)
    source.seek(0)
    return source.read(LEARNT.file_bytes + 1)


def _decode(photograph: bytes, options: Options) -> Pixels:
    found = detect_learnt(photograph)
    LEARNT.check_file(len(photograph))
    with translate_errors(found):
        small = shrink(photograph, found, options, LEARNT, lambda *_: Resampling.BILINEAR)
        return np.asarray(finish_colours(small, options.colour))
