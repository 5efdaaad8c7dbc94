"""What the caller may choose about the result."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, TypeVar

from headrace.normalizer.errors import BadOptionError

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


Choice = TypeVar("Choice", bound=StrEnum)


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
    names = [field.name for field in fields(Options)]
    for name in parameters:
        if name not in names:
            raise BadOptionError(f"there is no option {name!r}; there are {', '.join(names)}")
    defaults = Options()
    return Options(
        width=_parse_number(parameters, "width", defaults.width),
        height=_parse_number(parameters, "height", defaults.height),
        fit=_parse_choice(parameters, "fit", defaults.fit),
        colour=_parse_choice(parameters, "colour", defaults.colour),
        output_format=_parse_choice(parameters, "output_format", defaults.output_format),
        quality=_parse_number(parameters, "quality", defaults.quality),
    )


def _parse_number(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise BadOptionError(f"{name} is {text[:20]!r}, which is not a whole number")
    return int(text)


def _parse_choice(parameters: Mapping[str, str], name: str, default: Choice) -> Choice:
    text = parameters.get(name, default.value)
    try:
        return type(default)(text)
    except ValueError:
        choices = ", ".join(type(default))
        raise BadOptionError(f"{name} is {text[:20]!r}, which is not one of {choices}") from None


def _check_range(name: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise BadOptionError(f"{name} is {value}, which is not between 1 and {largest}")
