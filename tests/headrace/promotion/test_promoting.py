"""A promotion ends well only where the version is there, whole, with the container image of the original."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.contract import VersionFact
from headrace.pipeline.versions import Version
from headrace.promotion.errors import PromotionError
from headrace.promotion.planning import Plan
from headrace.promotion.promoting import promote
from headrace.promotion.sites import Site
from headrace.recipes import big_mart

URI = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/inference:0123456789abcdef"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
VERSION = Version(arn="arn:of:dev", number=7, status="Approved", created=NOW)
REQUEST = {
    "CustomerMetadataProperties": {},
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://raw/model.tar.gz"}]},
}
PLAN = Plan(VERSION, (), REQUEST, {URI: "sha256:1"})


@dataclass
class SageMaker:
    """A registry of versions, each with the states that it comes to, one after the other."""

    states: dict[str, list[str]] = field(default_factory=dict)
    digest: str = "sha256:1"
    uri: str = URI
    coming: list[str] = field(default_factory=lambda: ["Completed"])
    made: list[dict[str, Any]] = field(default_factory=list)

    def client(self, _service: str) -> "SageMaker":
        return self

    def get_paginator(self, _operation: str) -> "SageMaker":
        return self

    def paginate(self, **_: Any) -> list[Any]:
        listed = [{"ModelPackageArn": arn, "ModelPackageVersion": int(arn[-1])} for arn in self.states]
        return [{"ModelPackageSummaryList": listed}]

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {"ETag": '"1"', "VersionId": "1"}

    def create_model_package(self, **request: Any) -> dict[str, Any]:
        self.made.append(request)
        self.states["group/9"] = self.coming
        return {"ModelPackageArn": "group/9"}

    def describe_model_package(self, **request: Any) -> dict[str, Any]:
        arn = request["ModelPackageName"]
        status, *later = self.states[arn]
        self.states[arn] = later or [status]
        return {
            "ModelPackageArn": arn,
            "ModelPackageVersion": int(arn[-1]),
            "ModelPackageStatus": status,
            "CreationTime": NOW,
            "InferenceSpecification": {
                "Containers": [{"Image": self.uri, "ImageDigest": self.digest, "ModelDataUrl": "s3://raw/model.tar.gz"}]
            },
            "CustomerMetadataProperties": {VersionFact.ORIGIN: VERSION.arn},
        }


def carry_out(registry: SageMaker) -> Version:
    return promote(PLAN, Site(registry, "stage", big_mart.RECIPE), lambda _: nullcontext())


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.promotion.promoting._POLL_SECONDS", 0)


@pytest.mark.parametrize(
    ("status", "digest", "said"),
    [
        ("Completed", "sha256:2", f"{URI} as sha256:2, and the original is sha256:1: do not approve it"),
        ("Failed", "sha256:1", "group/9 is Failed"),
    ],
)
def test_fails_where_the_version_is_not_the_same(status: str, digest: str, said: str) -> None:
    with pytest.raises(PromotionError, match=said):
        carry_out(SageMaker(coming=[status], digest=digest))


@pytest.mark.parametrize("status", ["Failed", "Deleting"])
def test_makes_another_version_where_an_earlier_one_came_to_nothing(status: str) -> None:
    registry = SageMaker({"group/1": [status]})

    assert carry_out(registry).arn == "group/9"
    # With a token of the first try, SageMaker could answer with its version.
    assert "ClientToken" not in registry.made[0]


def test_waits_for_a_version_that_an_interrupted_promotion_has_begun() -> None:
    registry = SageMaker({"group/1": ["Pending", "Pending", "InProgress", "InProgress", "Completed"]})

    assert carry_out(registry).arn == "group/1"
    assert (registry.made, registry.states["group/1"]) == ([], ["Completed"])


def test_waits_no_longer_than_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.promotion.promoting._MOST_SECONDS", 0)

    with pytest.raises(PromotionError, match="group/9 is still InProgress; promote again to go on waiting"):
        carry_out(SageMaker(coming=["InProgress"]))


def test_takes_the_same_container_image_in_another_repository_for_the_same() -> None:
    assert carry_out(SageMaker({"group/1": ["Completed"]}, uri="elsewhere:tag")).arn == "group/1"
