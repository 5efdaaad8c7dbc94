"""The transformation behind every door: bytes in, bytes out, nothing else touched."""

from io import BytesIO
from typing import Final

from PIL import Image

from headrace.normalizer import decoding, memory
from headrace.normalizer.formats import Format, detect_format, detect_learnt
from headrace.normalizer.layout import ChooseFilter, Layout, choose_filter, plan_layout, resample
from headrace.normalizer.limits import LEARNT, Limits
from headrace.normalizer.memory import Demand, choose_way
from headrace.normalizer.options import Colour, Options, OutputFormat
from headrace.normalizer.orientation import Orientation, turn_upright
from headrace.normalizer.readings import Levels

DEFAULT_OPTIONS: Final = Options()
DEFAULT_LIMITS: Final = Limits()


def normalize(photograph: bytes, options: Options = DEFAULT_OPTIONS, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The photograph upright, in the size, colours and format that the options ask for; transparent parts are white.

    Args:
        photograph: A JPEG, PNG, WebP, GIF, TIFF or BMP file; of several frames the first counts.
        options: The result that is asked for.
        limits: What decoding may cost; the defaults fit a function of 256 MB.

    Raises:
        NormalizeError: What is wrong with the photograph, as one of its subclasses.
    """
    limits.check_file(len(photograph))
    with decoding.translate_errors(detect_format(photograph)):
        return _encode(normalize_to_pixels(photograph, options, limits), options)


def normalize_to_pixels(
    photograph: bytes, options: Options = DEFAULT_OPTIONS, limits: Limits = DEFAULT_LIMITS
) -> Image.Image:
    """As `normalize`, before the pixels become a file: 8-bit grey or RGB."""
    limits.check_file(len(photograph))
    found = detect_format(photograph)
    with decoding.translate_errors(found):
        # The photograph's pixels are gone by the time the normalized image is finished.
        return _finish(shrink(photograph, found, options, limits), options)


def measure(photograph: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[tuple[int, int], Orientation]:
    """Width and height of a photograph's pixels as they are stored, and how it wants to be turned.

    Raises:
        NormalizeError: What is wrong with the photograph, as far as its header says.
    """
    limits.check_file(len(photograph))
    found = detect_format(photograph)
    with decoding.translate_errors(found):
        opened = decoding.open_photograph(photograph, found, limits, Colour.RGB)
    return opened.image.size, opened.orientation


def measure_learnt(photograph: bytes) -> tuple[tuple[int, int], Orientation]:
    """As `measure`, of a photograph that is to be learnt from.

    Raises:
        NormalizeError: Also if it is of another format, or larger than a training job takes.
    """
    detect_learnt(photograph)
    return measure(photograph, LEARNT)


def shrink(
    photograph: bytes, found: Format, options: Options, limits: Limits, choose: ChooseFilter = choose_filter
) -> Image.Image:
    """The photograph upright and as small as it will be; its colours are still to be finished."""
    pixels, layout, orientation, levels = _read(photograph, found, options, limits)
    return turn_upright(levels.apply(resample(pixels, layout, choose)), orientation)


def _read(
    photograph: bytes, found: Format, options: Options, limits: Limits
) -> tuple[Image.Image, Layout, Orientation, Levels]:
    """The photograph's pixels, and what is to become of them."""
    opened = decoding.open_photograph(photograph, found, limits, options.colour)
    target = options.size[::-1] if opened.orientation.swaps_sides else options.size
    layout = plan_layout(opened.image.size, target, options.fit)
    mode = decoding.prepare(opened, options.colour, layout.decoding_size)
    demand = Demand(opened.image.size, opened.image.mode, mode, len(photograph), opened.decoder_bytes)
    mode, layout = choose_way(demand, layout, limits)
    return decoding.decode(opened, mode), layout, opened.orientation, opened.levels


def _finish(image: Image.Image, options: Options) -> Image.Image:
    return _add_bars(finish_colours(image, options.colour), options)


def finish_colours(image: Image.Image, colour: Colour) -> Image.Image:
    """The pixels in 8-bit grey or RGB."""
    mode = memory.GREY if colour is Colour.GREY else memory.RGB
    if image.mode == memory.DEEP_GREY:
        # Converting alone would clip 16 bits to 8.
        image = image.point(lambda value: value * (1 / 256)).convert(memory.GREY)
    if image.mode == memory.TRANSLUCENT:
        translucent = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, translucent)
    return image if image.mode == mode else image.convert(mode)


def _add_bars(image: Image.Image, options: Options) -> Image.Image:
    """The normalized image in the middle of the asked size, black around it."""
    if image.size == options.size:
        return image
    whole = Image.new(image.mode, options.size)
    whole.paste(image, ((options.width - image.width) // 2, (options.height - image.height) // 2))
    return whole


def _encode(image: Image.Image, options: Options) -> bytes:
    decoding.load_plugin(Format[options.output_format.name])
    # Pillow would write some photographs' comments and profiles into their normalized images.
    image.info = {}
    encoded = BytesIO()
    if options.output_format is OutputFormat.PNG:
        image.save(encoded, "PNG")
    else:
        image.save(encoded, options.output_format.name, quality=options.quality)
    return encoded.getvalue()
