import pytest

from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.options import Colour, Fit, Options, OutputFormat, parse_options


def test_defaults_are_the_articles() -> None:
    assert parse_options({}) == Options(
        width=256, height=256, fit=Fit.STRETCH, colour=Colour.GREY, output_format=OutputFormat.JPEG, quality=95
    )


def test_reads_every_option_from_strings() -> None:
    parameters = {
        "width": "64",
        "height": "48",
        "fit": "cover",
        "colour": "rgb",
        "output_format": "webp",
        "quality": "80",
    }

    options = parse_options(parameters)

    assert options == Options(
        width=64, height=48, fit=Fit.COVER, colour=Colour.RGB, output_format=OutputFormat.WEBP, quality=80
    )


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"widht": "64"}, "there is no option 'widht'; there are width, height,"),
        ({"width": ""}, "width is '', which is not a whole number"),
        ({"width": "-1"}, "width is '-1', which is not a whole number"),
        ({"width": "1e3"}, "width is '1e3', which is not a whole number"),
        ({"width": "٣"}, "width is '٣', which is not a whole number"),
        ({"width": "9" * 5000}, "which is not a whole number"),
        ({"width": "0"}, "width is 0, which is not between 1 and 2048"),
        ({"height": "2049"}, "height is 2049, which is not between 1 and 2048"),
        ({"quality": "101"}, "quality is 101, which is not between 1 and 100"),
        ({"fit": "squeeze"}, "fit is 'squeeze', which is not one of stretch, contain, cover"),
        ({"colour": "GREY"}, "colour is 'GREY', which is not one of grey, rgb"),
        ({"output_format": "gif"}, "output_format is 'gif', which is not one of jpeg, png, webp"),
    ],
)
def test_says_what_is_wrong_with_an_option(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(BadOptionError) as raised:
        parse_options(parameters)

    assert reason in raised.value.reason
    assert raised.value.code == "BadOption"


def test_refuses_an_impossible_size_when_made_directly() -> None:
    with pytest.raises(BadOptionError, match="width is 0"):
        Options(width=0)


def test_names_the_media_type_of_a_format() -> None:
    assert OutputFormat.JPEG.media_type == "image/jpeg"
