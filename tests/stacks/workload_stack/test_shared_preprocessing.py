"""The processing job of the sales on several instances."""

from typing import Any

import pytest

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import refusal


def read_request(instances: int) -> dict[str, Any]:
    section = {"bigmart": {"preprocessing": {"instance_count": instances}}}
    states = read_definition(template_with("BigMart", "dev", section).to_json())["States"]
    request: dict[str, Any] = states["Preprocess"]["Arguments"]
    return request


def test_divides_the_raw_files_among_instances_that_reach_each_other() -> None:
    request = read_request(4)

    assert request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 4
    assert request["ProcessingInputs"][0]["S3Input"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert request["NetworkConfig"] == {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": True,
    }


def test_isolates_one_instance() -> None:
    request = read_request(1)

    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert "S3DataDistributionType" not in request["ProcessingInputs"][0]["S3Input"]


@pytest.mark.parametrize("count", [0, 21])
def test_refuses_numbers_of_instances_that_are_not_divided_among(count: int) -> None:
    assert "bigmart.preprocessing.instance_count" in refusal("bigmart.preprocessing.instance_count", count)
