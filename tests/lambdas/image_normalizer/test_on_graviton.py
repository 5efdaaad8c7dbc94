"""The bundle that goes to Lambda, run as Lambda runs it, on an emulated Graviton."""

import base64
import os
import platform
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import parse_options
from lambdas.image_normalizer.contract import Variable
from stacks.constructs.lambda_bundle import LambdaBundle
from stacks.settings.bundle_target import BundleTarget
from tests.conftest import PROJECT
from tests.headrace.normalizer.made_images import encode, make_jpeg, make_scene, orient

from .fake_s3 import Bucket, serve
from .graviton import invoke, list_missing_tools, start_function

HANDLER = """
import base64, platform
from headrace.normalizer.errors import NormalizeError
from image_normalizer.handler import handle as answer
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import parse_options

def handle(event, context):
    if "image" not in event:
        return answer(event, context)
    try:
        normalized = normalize(base64.b64decode(event["image"]), parse_options(event["options"]))
    except NormalizeError as error:
        return {"code": error.code, "reason": error.reason}
    return {"normalized": base64.b64encode(normalized).decode(), "machine": platform.machine()}
"""
PNG = {"output_format": "png", "colour": "rgb"}
PHOTOGRAPH = Image.effect_mandelbrot((1300, 1100), (-2.0, -1.2, 1.0, 1.2), 60)
VARIABLES = {
    Variable.SOURCE: "source-s3alias",
    Variable.CACHE_BUCKET: "work",
    Variable.KEEPS_ALL: "true",
    Variable.DNS_SUFFIX: "amazonaws.com",
    "AWS_REGION": "us-east-1",
}
IMAGES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encode(PHOTOGRAPH, "JPEG"),
    "progressive": lambda: encode(PHOTOGRAPH, "JPEG", progressive=True),
    "turned": lambda: make_jpeg(300, 200, exif=orient(6)),
    "cmyk": lambda: encode(make_scene().convert("CMYK"), "JPEG"),
    "png": lambda: encode(make_scene(), "PNG"),
    "webp": lambda: encode(make_scene(300, 200), "WEBP"),
    "tiff": lambda: encode(make_scene(), "TIFF", compression="tiff_lzw"),
    "gif": lambda: encode(make_scene().quantize(4), "GIF"),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with serve({"images/photograph.jpg": encode(PHOTOGRAPH, "JPEG")}) as bucket:
        yield bucket


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory, bucket: Bucket) -> Iterator[str]:
    missing = find_obstacles()
    if missing:
        reason = f"the bundle was NOT run on arm64: this machine lacks {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("graviton")
    bundle = folder / "bundle"
    doors, part = PROJECT / "lambdas" / "image_normalizer", PROJECT / "headrace" / "transformations" / "image"
    LambdaBundle(doors, target=BundleTarget.GRAVITON, part=part).try_bundle(str(bundle))
    (bundle / "probe.py").write_text(HANDLER)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (VARIABLES | {"AWS_ENDPOINT_URL": bucket.url}).items():
            environment.setenv(name, value)
        with start_function(folder, bundle, "probe.handle") as url:
            yield url


def find_obstacles() -> list[str]:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return ["Linux on x86-64"]
    if not Path("/usr/bin/apt-get").exists():
        return ["Debian's apt-get"]
    return list_missing_tools()


def to_text(photograph: bytes) -> str:
    return base64.b64encode(photograph).decode()


@pytest.mark.parametrize("name", IMAGES)
def test_gives_the_same_normalized_image_as_here(function: str, name: str) -> None:
    photograph = IMAGES[name]()

    answer = invoke(function, {"image": to_text(photograph), "options": PNG})

    assert answer["machine"] == "aarch64"
    there = Image.open(BytesIO(base64.b64decode(answer["normalized"])))
    here = Image.open(BytesIO(normalize(photograph, parse_options(PNG))))
    assert max(high for _, high in ImageChops.difference(there, here).getextrema()) <= 1  # type: ignore[misc]


def test_gives_the_error_of_a_bad_image(function: str) -> None:
    answer = invoke(function, {"image": to_text(b"no image"), "options": {}})

    assert answer["code"] == "NotAPhotograph"


def test_gives_the_error_of_a_truncated_image(function: str) -> None:
    answer = invoke(function, {"image": to_text(encode(PHOTOGRAPH, "JPEG")[:5000]), "options": {}})

    assert answer["code"] == "PhotographTruncated"


def test_answers_a_request_with_what_it_reads_from_s3(function: str, bucket: Bucket) -> None:
    event = {
        "rawPath": "/images/photograph.jpg",
        "headers": {},
        "queryStringParameters": PNG,
        "requestContext": {"http": {"method": "GET"}},
    }

    answer = invoke(function, event)

    (kept,) = (body for key, body in bucket.objects.items() if key.startswith("normalized/"))
    assert (answer["statusCode"], base64.b64decode(answer["body"])) == (200, kept)
