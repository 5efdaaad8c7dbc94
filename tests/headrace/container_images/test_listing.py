import pytest

from headrace.container_images.listing import BuiltContainerImage, read_inspection
from headrace.recipes import big_mart

DIGEST = "ab" * 32


@pytest.mark.parametrize("identifier", [DIGEST, f"sha256:{DIGEST}"], ids=["podman", "docker"])
def test_reads_what_each_engine_says(identifier: str) -> None:
    labels = {"org.opencontainers.image.revision": "abc", "org.opencontainers.image.base.name": "python:3.13"}
    inspection = {
        "Id": identifier,
        "Size": 1000,
        "RootFS": {"Layers": ["sha256:1", "sha256:2"]},
        "Config": {"User": "", "Labels": labels},
    }

    assert read_inspection(big_mart.TRAINING, "training:1", inspection) == BuiltContainerImage(
        container="training",
        name="training:1",
        size_bytes=1000,
        layers=2,
        user="root",
        digest=f"sha256:{DIGEST}",
        revision="abc",
        base="python:3.13",
    )


def test_reads_an_image_without_labels() -> None:
    inspection = {"Id": DIGEST, "Size": 1, "RootFS": {"Layers": []}, "Config": {"User": "1000", "Labels": None}}

    image = read_inspection(big_mart.TRAINING, "training:1", inspection)

    assert (image.user, image.revision, image.base) == ("1000", "", "")
