"""The normalizer, deployed from its template: stock clients get the same photographs and texts through both doors."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from PIL import Image

from headrace import contract
from headrace.images import (
    Address,
    NormalizedImageReader,
    NormalizedImageRefusedError,
    find_address,
    open_normalized,
    read_normalized_images,
)
from headrace.images.addresses import parse_address
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.platform import inspection, pipeline
from headrace.local.platform.deployment import Deployment, read_deployment
from headrace.local.platform.site import LocalSite
from headrace.recipes import images
from headrace.regions import OBJECT_LAMBDA
from headrace.workloads import images as images_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import CLASSES
from tests.examples import IS_EXHAUSTIVE
from tests.local_clouds import allow, clients_of, make_role
from tests.stacks.conftest import SWITCHES, context_of, set_path
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

KEY = "images/photographs/a photo+ä.jpg"
LARGE = {"width": "1300", "height": "1300", "colour": "rgb", "output_format": "png"}
CONSUMER = "training"
# At once.
READS = 200 if IS_EXHAUSTIVE else 50
TRAINED = "images/trained/"
# A consumer that has chosen another transformation reads through doors of its own.
TEXT = "texts/letters/größe 1.txt"
READER = {"name": "texts", "transformation": "text", "options": {"white_space": "line", "form": "nfkc"}}
CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def encode(image: Image.Image, kind: str) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, kind)
    return encoded.getvalue()


@dataclass(frozen=True)
class Doors:
    """The deployed doors, and the ways in which a test goes through them."""

    cloud: LocalCloud
    deployment: Deployment
    s3: Any
    http: urllib3.PoolManager

    @property
    def alias(self) -> str:
        return self.deployment.outputs["NormalizerAliasTraining"]

    @property
    def arn(self) -> str:
        """The access point's ARN, which stock clients take for a bucket, too."""
        for stack in boto3.client("cloudformation").describe_stacks()["Stacks"]:
            found = boto3.client("cloudformation").describe_stack_resources(StackName=stack["StackName"])
            for resource in found["StackResources"]:
                name = resource.get("PhysicalResourceId", "")
                if resource["ResourceType"] == OBJECT_LAMBDA and CONSUMER in name:
                    return f"arn:aws:s3-object-lambda:{REGION}:{ACCOUNT}:accesspoint/{name}"
        raise AssertionError(f"no stack has the access point of {CONSUMER}")

    def get(self, key: str, method: str = "GET", query: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
        """The answer to a signed request to the function URL of photographs."""
        return self._ask("NormalizerUrl", key, method, query, **headers)

    def get_text(self, key: str, query: str = "") -> urllib3.BaseHTTPResponse:
        """The answer to a signed request to the function URL of texts."""
        return self._ask("NormalizerUrlText", key, "GET", query)

    def _ask(self, output: str, key: str, method: str, query: str, **headers: str) -> urllib3.BaseHTTPResponse:
        url = f"{self.deployment.outputs[output]}{quote(key)}{query}"
        request = AWSRequest(method, url, headers=headers)
        credentials = boto3.Session().get_credentials()
        assert credentials is not None
        SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
        return self.http.request(method, url, headers=dict(request.headers), redirect=False)

    def get_object(self, key: str, **options: Any) -> bytes:
        """The body of a stock client's answer through the Object Lambda alias."""
        return bytes(self.s3.get_object(Bucket=self.alias, Key=key, **options)["Body"].read())

    def refuse_object(self, operation: str, key: str, **options: Any) -> tuple[int, str]:
        """The status and code of a stock client's error."""
        with pytest.raises(ClientError) as refused:
            getattr(self.s3, operation)(Bucket=self.alias, Key=key, **options)
        response = refused.value.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the raw bucket."""
        self.s3.put_object(Bucket=self.deployment.raw_bucket, Key=key, Body=body)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Both doors of both transformations on a local cloud of their own, some images, and some texts."""
    context = context_of("object-lambda")
    consumers = [*SWITCHES["object-lambda"]["normalizer.consumers"], READER]
    for path, value in (("images.training.normalized.prefix", TRAINED), ("normalizer.consumers", consumers)):
        set_path(context["environments"]["dev"], path, value)
    with (
        running_with_app(tmp_path_factory.mktemp("normalizer"), assemble(context)) as cloud,
        clients_of(cloud),
        urllib3.PoolManager(maxsize=50) as http,
    ):
        found = Doors(cloud, read_deployment("dev"), boto3.client("s3"), http)
        found.put(KEY, encode(Image.effect_noise((640, 480), 60).convert("RGB"), "JPEG"))
        found.put("images/text.jpg", b"not an image")
        found.put("images/noise.png", encode(Image.frombytes("RGB", (1300, 1300), os.urandom(5_070_000)), "PNG"))
        found.put(TEXT, "Größe\r\n  ﬁn".encode("utf-16"))
        found.put("texts/page.html", b"<p>a&amp;b</p>c")
        found.put("texts/packed.gz", b"\x1f\x8b\x08\0")
        yield found


def addresses(doors: Doors) -> list[Address]:
    """Both doors, as the library finds them."""
    return [find_address(), find_address(consumer=CONSUMER)]


def test_both_doors_give_the_same_normalized_image(doors: Doors) -> None:
    through_alias = doors.get_object(KEY)
    through_url = doors.get(KEY)

    assert through_url.data == through_alias
    normalized = Image.open(io.BytesIO(through_alias))
    assert (normalized.format, normalized.size, normalized.mode) == ("JPEG", (256, 256), "L")
    assert through_url.headers["Content-Type"] == "image/jpeg"


def test_a_consumer_has_its_own_options(doors: Doors) -> None:
    body = doors.s3.get_object(Bucket=doors.deployment.outputs["NormalizerAliasLabellingTeam"], Key=KEY)["Body"].read()

    normalized = Image.open(io.BytesIO(body))
    assert (normalized.size, normalized.mode) == ((512, 512), "RGB")


def test_a_range_is_a_part_of_the_normalized_image(doors: Doors) -> None:
    whole = doors.get_object(KEY)

    part = doors.get(KEY, Range="bytes=10-19")

    assert doors.get_object(KEY, Range="bytes=10-19") == whole[10:20]
    assert (part.status, part.data) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"


def test_a_part_number_is_refused_as_s3_refuses_it(doors: Doors) -> None:
    assert doors.refuse_object("get_object", KEY, PartNumber=1) == (501, "NotImplemented")


def test_head_tells_what_get_answers(doors: Doors) -> None:
    got = doors.s3.get_object(Bucket=doors.alias, Key=KEY)

    told = doors.s3.head_object(Bucket=doors.alias, Key=KEY)
    told_by_url = doors.get(KEY, method="HEAD")

    assert (told["ContentLength"], told["ETag"]) == (got["ContentLength"], got["ETag"])
    assert told_by_url.headers["Content-Length"] == str(got["ContentLength"])
    assert told_by_url.headers["ETag"] == got["ETag"]


def test_a_stock_download_works_through_the_alias(doors: Doors, tmp_path: Path) -> None:
    doors.s3.download_file(doors.alias, KEY, str(tmp_path / "normalized.jpg"))

    assert (tmp_path / "normalized.jpg").read_bytes() == doors.get_object(KEY)


def test_a_stock_client_gets_an_object_of_the_access_points_arn_through_the_cloud_as_a_proxy(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", doors.cloud.endpoint_url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    s3: Any = boto3.client("s3")

    assert s3.get_object(Bucket=doors.arn, Key=KEY)["Body"].read() == doors.get_object(KEY)


def test_policies_decide_who_reads_by_the_access_points_arn(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", doors.cloud.endpoint_url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    role = make_role("photographer", allow("s3:GetObject"))
    key: Any = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="reads")["Credentials"]
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    s3: Any = boto3.client("s3", **dict(zip(CREDENTIALS, (key[name] for name in names), strict=True)))

    with pytest.raises(ClientError, match=f"s3-object-lambda:GetObject on resource: .*{doors.arn}"):
        s3.get_object(Bucket=doors.arn, Key=KEY)


def test_lists_come_from_s3(doors: Doors) -> None:
    listed = doors.s3.list_objects_v2(Bucket=doors.alias, Prefix="images/photographs/")["Contents"]

    assert [item["Key"] for item in listed] == [KEY]


@pytest.mark.parametrize(
    ("key", "refusal"), [("images/none.jpg", (404, "NoSuchKey")), ("images/text.jpg", (400, "NotAPhotograph"))]
)
def test_both_doors_say_what_is_wrong(doors: Doors, key: str, refusal: tuple[int, str]) -> None:
    answered = doors.get(key)

    assert doors.refuse_object("get_object", key) == refusal
    assert (answered.status, answered.json()["code"]) == refusal


def test_head_of_a_missing_image_is_not_found(doors: Doors) -> None:
    assert doors.refuse_object("head_object", "images/none.jpg")[0] == 404


def test_an_unsigned_request_is_refused(doors: Doors) -> None:
    assert doors.http.request("GET", f"{doors.deployment.outputs['NormalizerUrl']}{quote(KEY)}").status == 403


def test_a_normalized_image_too_large_for_an_answer_is_a_redirect_away(doors: Doors) -> None:
    query = "?" + "&".join(f"{name}={value}" for name, value in LARGE.items())
    redirect = doors.get("images/noise.png", query=query)

    normalized = doors.http.request("GET", redirect.headers["Location"])

    assert (redirect.status, redirect.data) == (303, b"")
    assert (normalized.status, normalized.headers["Content-Type"]) == (200, "image/png")
    assert len(normalized.data) > 4_500_000


def test_the_library_reads_through_either_door(doors: Doors) -> None:
    url, alias = addresses(doors)

    assert open_normalized(KEY, address=url).read() == open_normalized(KEY, address=alias).read()
    for address in (url, alias, parse_address(doors.arn)):
        assert Image.open(open_normalized(KEY, address=address, width=80, height=60)).size == (80, 60)
        assert len(open_normalized("images/noise.png", address=address, **LARGE).read()) > 4_500_000
        with pytest.raises(NormalizedImageRefusedError, match=r"images/text\.jpg: NotAPhotograph"):
            open_normalized("images/text.jpg", address=address)


@pytest.mark.parametrize("door", [0, 1], ids=["function-url", "object-lambda"])
def test_concurrent_reads_lose_nothing(doors: Doors, door: int) -> None:
    keys = [f"images/crowd/{door}/{number}.png" for number in range(READS)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda key: doors.put(key, encode(Image.new("L", (16, 16), hash(key) % 256), "PNG")), keys))
    reader = NormalizedImageReader(
        addresses(doors)[door], {"width": 8, "height": 8, "output_format": "png"}, connections=READS
    )

    read = list(read_normalized_images(((key, hash(key) % 256) for key in keys), reader))

    assert [image.key for image in read] == keys
    assert all(Image.open(io.BytesIO(image.body)).getpixel((4, 4)) == image.label for image in read)


def test_the_image_workload_trains_through_the_alias(doors: Doors, made_up_photographs: Path, tmp_path: Path) -> None:
    push_container_images(doors.cloud, "dev")
    images_workload.Run(made_up_photographs, tmp_path).bring_data(LocalSite(doors.cloud, doors.deployment))

    arn = pipeline.start_execution(doors.deployment, images.RECIPE, "through-the-alias", {})
    report = pipeline.follow_execution(arn, lambda _: None)

    assert report.output["Metrics"]["validation:accuracy"] > 2 / CLASSES
    log = list(inspection.read_log("training", report.output[contract.JOB_NAME_INPUT]))
    assert len([line for line in log if 'source="the normalizer\'s Object Lambda"' in line]) == 2


def test_a_text_comes_through_the_function_url_of_texts(doors: Doors) -> None:
    answered = doors.get_text(TEXT, "?line_ends=crlf")

    assert (answered.status, answered.data.decode()) == (200, "Größe\r\n  ﬁn")
    assert answered.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert doors.get_text("texts/page.html", "?markup=remove").data == b"\na&b\nc"


def test_the_library_reads_texts_through_either_door(doors: Doors) -> None:
    url = find_address(transformation="text")
    access_point = find_address(transformation="text", consumer="texts")

    assert NormalizedImageReader(url, {"form": "nfkc"}).read(TEXT).decode() == "Größe\n  fin"
    # The consumer's own options, of its access point.
    assert open_normalized(TEXT, address=access_point).read().decode() == "Größe fin"
    for address in (url, access_point):
        with pytest.raises(
            NormalizedImageRefusedError, match=r"texts/packed\.gz: TextUndecodable: byte 1 is not utf-8"
        ):
            open_normalized("texts/packed.gz", address=address)


def test_no_function_reads_what_another_transforms(doors: Doors) -> None:
    assert doors.get("texts/page.html").status == 403
    assert doors.get_text(KEY).status == 403


def test_texts_are_kept_apart_from_normalized_images(doors: Doors) -> None:
    text, image = doors.get_text("texts/page.html").data, doors.get(KEY).data
    place = {"Bucket": doors.deployment.outputs["WorkBucketName"]}
    listed = [found["Key"] for found in doors.s3.list_objects_v2(**place, Prefix="normalized/")["Contents"]]
    kept = [(key.rpartition("/")[0], doors.s3.get_object(**place, Key=key)["Body"].read()) for key in listed]

    folders = {folder for folder, body in kept if body == image}
    assert {folder for folder, body in kept if body == text} == {"normalized/text"}
    assert folders
    assert "normalized/text" not in folders
