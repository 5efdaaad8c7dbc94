"""The transformation behind every door: bytes in, bytes out, nothing else touched."""

from io import BytesIO
from typing import Final

from PIL import Image

from . import decoding
from .formats import Format
from .layout import plan_layout, resample
from .limits import Limits
from .options import Colour, Options, OutputFormat
from .orientation import turn_upright

# A new number, for code that makes other pictures, leaves those of earlier code unused.
GENERATION: Final = 1

DEFAULT_OPTIONS: Final = Options()
DEFAULT_LIMITS: Final = Limits()


def normalize(image_bytes: bytes, options: Options = DEFAULT_OPTIONS, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The image upright, in the size, colours and format that the options ask for; transparent parts are white.

    Args:
        image_bytes: A JPEG, PNG, WebP, GIF, TIFF or BMP file; of several frames the first counts.
        options: The result that is asked for.
        limits: What decoding may cost; the defaults fit a function of 256 MB.

    Raises:
        NormalizeError: What is wrong with the image, as one of its subclasses.
    """
    image = decoding.open_image(image_bytes, limits)
    orientation = decoding.read_orientation(image)
    target = options.size[::-1] if orientation.swaps_sides else options.size
    layout = plan_layout(image.size, target, options.fit)
    pixels = decoding.decode(image, options.colour, layout.decoding_size, limits)
    picture = turn_upright(resample(pixels, layout), orientation)
    return _encode(_add_bars(_finish_colours(picture, options.colour), options), options)


def _finish_colours(picture: Image.Image, colour: Colour) -> Image.Image:
    """The picture in 8-bit grey or RGB."""
    mode = decoding.GREY if colour is Colour.GREY else decoding.RGB
    if picture.mode == decoding.DEEP_GREY:
        # Converting alone would clip 16 bits to 8.
        picture = picture.point(lambda value: value * (1 / 256)).convert(decoding.GREY)
    if picture.mode == decoding.TRANSLUCENT:
        translucent = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, translucent)
    return picture if picture.mode == mode else picture.convert(mode)


def _add_bars(picture: Image.Image, options: Options) -> Image.Image:
    """The picture in the middle of the asked size, black around it."""
    if picture.size == options.size:
        return picture
    whole = Image.new(picture.mode, options.size)
    whole.paste(picture, ((options.width - picture.width) // 2, (options.height - picture.height) // 2))
    return whole


def _encode(picture: Image.Image, options: Options) -> bytes:
    decoding.load_plugin(Format[options.output_format.name])
    encoded = BytesIO()
    if options.output_format is OutputFormat.PNG:
        picture.save(encoded, "PNG")
    else:
        picture.save(encoded, options.output_format.name, quality=options.quality)
    return encoded.getvalue()
