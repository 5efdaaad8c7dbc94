"""Container images between repositories, by their digests, against ECR's API in memory."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.promotion.errors import PromotionError
from headrace.promotion.repositories import Manifest, Repository, check_platform, hash_text, parse_uri

HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = b"a layer of twenty-six byte"
TAG = "0123456789abcdef"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Exceptions:
    """Those that the client makes of its service's errors."""

    class ImageAlreadyExistsException(Exception):  # noqa: N818 (botocore's)
        pass

    class LayerAlreadyExistsException(Exception):  # noqa: N818 (botocore's)
        pass


@dataclass
class Ecr:
    """Repositories in memory, which take layers in parts of ten bytes."""

    images: dict[str, tuple[str, str]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    names: frozenset[str] = frozenset({"inference"})
    exceptions = Exceptions

    def _check(self, request: dict[str, Any]) -> None:
        if request["repositoryName"] not in self.names:
            raise ClientError({"Error": {"Code": "RepositoryNotFoundException", "Message": "no such repository"}}, "op")

    def batch_get_image(self, **request: Any) -> dict[str, Any]:
        self._check(request)
        (wanted,) = request["imageIds"]
        for tag, (text, kind) in self.images.items():
            name = {"imageDigest": hash_text(text)}
            if wanted in ({"imageTag": tag}, name):
                return {"images": [{"imageId": name, "imageManifest": text, "imageManifestMediaType": kind}]}
        return {"images": []}

    def batch_check_layer_availability(self, **request: Any) -> dict[str, Any]:
        (digest,) = request["layerDigests"]
        return {"layers": [{"layerAvailability": "AVAILABLE" if digest in self.blobs else "UNAVAILABLE"}]}

    def get_download_url_for_layer(self, **request: Any) -> dict[str, Any]:
        return {"downloadUrl": request["layerDigest"]}

    def open_url(self, url: str) -> io.BytesIO:
        if url not in self.blobs:
            raise OSError("HTTP Error 404: Not Found")
        return io.BytesIO(self.blobs[url])

    def initiate_layer_upload(self, **_: Any) -> dict[str, Any]:
        return {"uploadId": "u", "partSize": 10}

    def upload_layer_part(self, **request: Any) -> None:
        taken = self.parts.get(request["uploadId"], b"")
        assert request["partFirstByte"] == len(taken)
        assert request["partLastByte"] == len(taken) + len(request["layerPartBlob"]) - 1
        self.parts["u"] = taken + request["layerPartBlob"]

    def complete_layer_upload(self, **request: Any) -> None:
        (digest,) = request["layerDigests"]
        content = self.parts.pop("u")
        assert digest_of(content) == digest
        self.blobs[digest] = content

    def put_image(self, **request: Any) -> None:
        assert hash_text(request["imageManifest"]) == request["imageDigest"]
        if request["imageTag"] in self.images:
            raise Exceptions.ImageAlreadyExistsException
        missing = [blob["digest"] for blob in json.loads(request["imageManifest"])["layers"]]
        assert set(missing) <= self.blobs.keys()
        self.images[request["imageTag"]] = request["imageManifest"], request["imageManifestMediaType"]


def open_repository(ecr: Ecr, name: str = "inference") -> Repository:
    return Repository(f"{HOST}/{name}", "111122223333", name, ecr, ecr.open_url)


def push(ecr: Ecr, *, platform: tuple[str, str] = ("linux", "amd64"), kind: str = DOCKER) -> Manifest:
    """Put a container image of one layer into a repository."""
    config = json.dumps(dict(zip(("os", "architecture"), platform, strict=True))).encode()
    for blob in (config, LAYER):
        ecr.blobs[digest_of(blob)] = blob
    text = json.dumps({"config": {"digest": digest_of(config)}, "layers": [{"digest": digest_of(LAYER)}] * 2})
    ecr.images[TAG] = text, kind
    return Manifest(digest_of(text.encode()), kind, text)


def test_copies_a_container_image_with_its_layers_under_the_same_digest() -> None:
    here, there = Ecr(), Ecr()
    manifest = push(here)

    open_repository(there).copy_from(open_repository(here), manifest, TAG)

    assert there == here
    assert open_repository(there).find(tag=TAG) == manifest == open_repository(here).find(digest=manifest.digest)


def test_brings_no_layer_that_is_there() -> None:
    here, there = Ecr(), Ecr()
    manifest = push(here)
    there.blobs = dict(here.blobs)
    here.blobs = {}

    open_repository(there).copy_from(open_repository(here), manifest, TAG)

    assert there.images == here.images


def test_takes_an_image_that_somebody_has_pushed_meanwhile_and_no_other_one() -> None:
    here, there = Ecr(), Ecr()
    manifest = push(here)
    push(there)
    open_repository(there).copy_from(open_repository(here), manifest, TAG)
    push(there, platform=("linux", "arm64"))

    with pytest.raises(PromotionError, match=rf"inference:{TAG} is sha256:\w+, not {manifest.digest}"):
        open_repository(there).copy_from(open_repository(here), manifest, TAG)


def test_refuses_a_layer_that_is_not_what_its_digest_names() -> None:
    here, there = Ecr(), Ecr()
    manifest = push(here)
    here.blobs[digest_of(LAYER)] = b"another"

    with pytest.raises(PromotionError, match="is not what its digest names"):
        open_repository(there).copy_from(open_repository(here), manifest, TAG)

    assert there.images == {}


def test_says_which_layer_cannot_be_read() -> None:
    here, there = Ecr(), Ecr()
    manifest = push(here)
    del here.blobs[digest_of(LAYER)]

    with pytest.raises(PromotionError, match=f"layer {digest_of(LAYER)} cannot be read: HTTP Error 404"):
        open_repository(there).copy_from(open_repository(here), manifest, TAG)


def test_says_that_a_repository_is_not_there() -> None:
    with pytest.raises(PromotionError, match="other: no such repository"):
        open_repository(Ecr(), "other").find(tag=TAG)


def test_refuses_an_index_of_several_container_images() -> None:
    here = Ecr()
    push(here, kind=INDEX)

    with pytest.raises(PromotionError, match="is an index of several"):
        open_repository(here).find(tag=TAG)


@pytest.mark.parametrize("platform", [("linux", "arm64"), ("windows", "amd64")])
def test_refuses_a_container_image_of_another_platform(platform: tuple[str, str]) -> None:
    here = Ecr()
    manifest = push(here, platform=platform)

    with pytest.raises(PromotionError, match=f"is for {'/'.join(platform)}, and SageMaker's instances run linux/amd64"):
        check_platform(open_repository(here), manifest)


def test_takes_a_container_image_of_sagemakers_platform() -> None:
    here = Ecr()

    check_platform(open_repository(here), push(here))


def test_reads_where_a_container_image_is() -> None:
    repository, tag = parse_uri(f"{HOST}/a/b:{TAG}", lambda region: region)

    assert (repository.uri, repository.account, repository.name) == (f"{HOST}/a/b", "111122223333", "a/b")
    assert (repository.ecr, tag) == ("eu-west-1", TAG)


@pytest.mark.parametrize("uri", [f"{HOST}/a", f"{HOST}/a@sha256:{'0' * 64}", "docker.io/library/python:3.13"])
def test_refuses_what_has_no_tag_in_ecr(uri: str) -> None:
    with pytest.raises(PromotionError, match="has no tag in a repository of ECR"):
        parse_uri(uri, lambda region: region)


def test_downloads_by_https_alone() -> None:
    repository = Repository(f"{HOST}/a", "111122223333", "a", Ecr())

    with pytest.raises(OSError, match="is not an address of HTTPS"):
        repository.open_url("file:///etc/passwd")
