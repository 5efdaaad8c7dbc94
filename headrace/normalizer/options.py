"""What the caller may choose about the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.option_fields import parse_fields

# A new number, for code that normalizes otherwise, leaves what earlier code has made unused.
GENERATION: Final = 2

LARGEST_SIDE: Final = 2048
# The default of OpenCV's JPEG encoder.
DEFAULT_QUALITY: Final = 95


class Fit(StrEnum):
    """How a photograph of another shape comes into the asked width and height.

    STRETCH distorts it; CONTAIN shows all of it between black bars; COVER fills everything and cuts off what sticks
    out, evenly on both sides.
    """

    STRETCH = "stretch"
    CONTAIN = "contain"
    COVER = "cover"


class Colour(StrEnum):
    """The channels of the result."""

    GREY = "grey"
    RGB = "rgb"


class OutputFormat(StrEnum):
    """The format of the result."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """What a `Content-Type` header calls the format."""
        return f"image/{self}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The result that is asked for; the defaults are those of the article this design follows.

    Args:
        width: In pixels.
        height: In pixels.
        fit: How a photograph of another shape comes into width and height.
        colour: The channels of the result.
        output_format: The format of the result.
        quality: From 1 to 100; PNG, which loses nothing, has no use for it.
    """

    width: int = 256
    height: int = 256
    fit: Fit = Fit.STRETCH
    colour: Colour = Colour.GREY
    output_format: OutputFormat = OutputFormat.JPEG
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        _check_range("width", self.width, LARGEST_SIDE)
        _check_range("height", self.height, LARGEST_SIDE)
        _check_range("quality", self.quality, 100)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def parse_options(parameters: Mapping[str, str]) -> Options:
    """The options in a mapping of strings, such as a URL's query parameters; what is left out has its default."""
    return parse_fields(Options, parameters)


def _check_range(name: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise BadOptionError(f"{name} is {value}, which is not between 1 and {largest}")
