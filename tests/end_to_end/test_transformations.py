"""Texts beside photographs: a consumer that has chosen another transformation reads through doors of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from headrace.images import NormalizedImageReader, NormalizedImageRefusedError, find_address, open_normalized
from headrace.local.engine.cloud import REGION
from headrace.local.platform.deployment import Deployment, read_deployment
from tests.deploying import running_with_app
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

KEY = "texts/letters/größe 1.txt"
CONSUMERS = [
    {"name": "training"},
    {"name": "texts", "transformation": "text", "options": {"white_space": "line", "form": "nfkc"}},
]


@dataclass(frozen=True)
class Doors:
    """The deployed doors."""

    deployment: Deployment
    http: urllib3.PoolManager

    def get(self, output: str, path: str) -> urllib3.BaseHTTPResponse:
        """The answer to a signed request to one of the function URLs."""
        url = f"{self.deployment.outputs[output]}{path}"
        request = AWSRequest("GET", url)
        SigV4Auth(boto3.Session().get_credentials(), "lambda", REGION).add_auth(request)
        return self.http.request("GET", url, headers=dict(request.headers), redirect=False)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The doors of photographs and of texts on a local cloud of their own, and some texts."""
    context = context_of("object-lambda")
    set_path(context["environments"]["dev"], "normalizer.consumers", CONSUMERS)
    with (
        running_with_app(tmp_path_factory.mktemp("transformations"), assemble(context)) as cloud,
        clients_of(cloud),
        urllib3.PoolManager() as http,
    ):
        found = Doors(read_deployment("dev"), http)
        s3: Any = boto3.client("s3")
        for key, body in {KEY: "Größe\r\n  ﬁn".encode("utf-16"), "texts/page.html": b"<p>a&amp;b</p>c"}.items():
            s3.put_object(Bucket=found.deployment.raw_bucket, Key=key, Body=body)
        s3.put_object(Bucket=found.deployment.raw_bucket, Key="texts/packed.gz", Body=b"\x1f\x8b\x08\0")
        yield found


def test_a_text_comes_through_the_function_url_of_texts(doors: Doors) -> None:
    answered = doors.get("NormalizerUrlText", "texts/letters/gr%C3%B6%C3%9Fe%201.txt?line_ends=crlf")

    assert (answered.status, answered.data.decode()) == (200, "Größe\r\n  ﬁn")
    assert answered.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert doors.get("NormalizerUrlText", "texts/page.html?markup=remove").data == b"\na&b\nc"


def test_the_library_reads_texts_through_either_door(doors: Doors) -> None:
    url = find_address(transformation="text")
    access_point = find_address(transformation="text", consumer="texts")

    assert NormalizedImageReader(url, {"form": "nfkc"}).read(KEY).decode() == "Größe\n  fin"
    # The consumer's own options, of its access point.
    assert open_normalized(KEY, address=access_point).read().decode() == "Größe fin"
    for address in (url, access_point):
        with pytest.raises(
            NormalizedImageRefusedError, match=r"texts/packed\.gz: TextUndecodable: byte 1 is not utf-8"
        ):
            open_normalized("texts/packed.gz", address=address)


def test_no_function_reads_what_another_transforms(doors: Doors) -> None:
    assert doors.get("NormalizerUrl", "texts/page.html").status == 403
    assert doors.get("NormalizerUrlText", "images/a.jpg").status == 403


def test_a_text_is_kept_apart_from_normalized_images(doors: Doors) -> None:
    doors.get("NormalizerUrlText", "texts/page.html")

    listed = boto3.client("s3").list_objects_v2(Bucket=doors.deployment.outputs["WorkBucketName"], Prefix="normalized/")
    assert {found["Key"].rpartition("/")[0] for found in listed["Contents"]} == {"normalized/text"}
