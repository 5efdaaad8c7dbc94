"""What answers an endpoint's requests, by the settings: containers that start when they are asked, or machines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from headrace.workloads import big_mart as workload
from tests.containers.job_roots import any_sales_row
from tests.deploying import deploy, push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

ENDPOINT = "headrace-dev-bigmart"
SERVERLESS = {"serverless": {"max_concurrency": 3}}
ROW = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")


def assemble_with(endpoint: dict[str, Any]) -> Any:
    """The app of `dev` with this endpoint for the sales."""
    return assemble(configure_dev(endpoint=endpoint))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, sales: Any) -> Iterator[Platform]:
    """`dev` with a serverless endpoint, which tests change one after the other."""
    assembly = assemble_with(SERVERLESS)
    root = tmp_path_factory.mktemp("capacity") / "cloud"
    with running_with_app(root, assembly) as cloud, clients_of(cloud):
        platform = Platform(cloud, push_container_images(cloud, "dev"))
        workload.Run(sales, sales.parent).bring_data(platform.site)
        yield platform


@dataclass(frozen=True)
class Serving:
    """The version that an execution has served, and the variant that serves it."""

    version: str
    variant: dict[str, Any]


def serve(platform: Platform, **given: str) -> Serving:
    """Run an execution."""
    execution = platform.run(**given)
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    output = json.loads(execution["output"])
    assert "Left" not in output.get("Scaling", {}), execution["output"]
    described = platform.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    return Serving(output["ModelPackageArn"], described["ProductionVariants"][0])


def count_machines(platform: Platform) -> int:
    """How many machines the endpoint has."""
    described = platform.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    return int(described["ProductionVariants"][0]["CurrentInstanceCount"])


def ask(platform: Platform) -> float:
    """The endpoint's answer about a row."""
    answer = platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="text/csv", Body=ROW
    )
    return float(answer["Body"].read())


def test_serves_without_machines_then_with_as_many_as_requests_need_but_not_without_them_again(
    platform: Platform,
) -> None:
    serverless = serve(platform)

    assert serverless.variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 3}
    assert ask(platform) > 0

    scaling = {"min_instances": 2, "max_instances": 3, "invocations_per_minute": 1}
    deploy(assemble_with({"instance_count": 2, "scaling": scaling}), "BigMart")

    assert serve(platform, ModelPackageArn=serverless.version).variant["CurrentInstanceCount"] == 2
    while count_machines(platform) == 2:
        assert ask(platform) > 0
    assert count_machines(platform) == 3

    deploy(assemble_with(SERVERLESS), "BigMart")
    refused = platform.run(ModelPackageArn=serverless.version)

    assert (refused["status"], refused["error"]) == ("FAILED", "EndpointHasMachines")
    assert f"endpoint {ENDPOINT} has machines" in refused["cause"]
