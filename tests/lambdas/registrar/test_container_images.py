from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.registrar.container_images import UNKNOWN, ContainerImageError, describe, find_digests

URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headrace-training:abc123"


class FakeEcr:
    """A registry in one Region."""

    def __init__(self, region: str) -> None:
        self._region = region

    def describe_images(self, **request: Any) -> dict[str, Any]:
        assert request == {
            "registryId": "123456789012",
            "repositoryName": "headrace-training",
            "imageIds": [{"imageTag": "abc123"}],
        }
        return {"imageDetails": [{"imageDigest": f"sha256:{self._region}"}]}


def test_asks_the_registry_that_the_uri_names() -> None:
    assert find_digests({"training": URI}, FakeEcr) == {"training": "sha256:eu-west-1"}


def test_goes_on_without_a_digest_that_another_account_does_not_let_it_see() -> None:
    class Closed(FakeEcr):
        def describe_images(self, **_: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeImages")

    assert find_digests({"training": URI}, Closed) == {"training": UNKNOWN}


def test_takes_chinese_and_nested_names() -> None:
    class China(FakeEcr):
        def describe_images(self, **request: Any) -> dict[str, Any]:
            assert request["repositoryName"] == "team/models/training"
            return {"imageDetails": [{"imageDigest": f"sha256:{self._region}"}]}

    uri = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/models/training:abc"

    assert find_digests({"training": uri}, China) == {"training": "sha256:cn-north-1"}


@pytest.mark.parametrize("uri", ["", "training:1", f"{URI}@sha256:1", "docker.io/library/python:3"])
def test_refuses_what_is_not_in_a_repository_of_ecr(uri: str) -> None:
    with pytest.raises(ContainerImageError, match="is not in a repository of ECR"):
        find_digests({"training": uri}, FakeEcr)


def test_describes_container_images_in_a_line_that_fits_a_version() -> None:
    digests = dict.fromkeys(("preprocessing", "training", "inference"), f"sha256:{'0' * 64}")

    assert describe({"training": "sha256:1", "inference": "sha256:2"}) == "training@sha256:1 inference@sha256:2"
    assert len(describe(digests)) <= 256
