"""A model trained in one environment serves in the next one as it is: on a local cloud with both."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headrace.cli import cli
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import deploy, push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform of `dev`, beside that of `stage`, whose repositories are empty."""
    context = configure_dev()
    context["environments"]["stage"] = copy.deepcopy(context["environments"]["dev"])
    with running_with_app(tmp_path_factory.mktemp("two"), assemble(context)) as cloud, clients_of(cloud):
        deploy(assemble({**context, "env": "stage"}))
        yield Platform(cloud, push_container_images(cloud, "dev"))


def run(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["pipeline", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def ask(platform: Platform, environment: str, row: str) -> bytes:
    answer = platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=f"headrace-{environment}-bigmart", ContentType="text/csv", Accept="text/csv", Body=row.encode()
    )
    return bytes(answer["Body"].read())


def test_serves_the_same_model_in_the_next_environment(dev: Platform, sales: Path) -> None:
    big_mart_workload.Run(sales, sales.parent).bring_data(dev.site)
    trained = json.loads(dev.run()["output"])

    promoted = run("promote", trained["ModelPackageArn"], "--env", "dev", "--to", "stage")
    served = run("approve", promoted["modelPackageArn"], "--env", "stage", "--wait")

    row, *_ = (line.rpartition(",")[0] for line in sales.read_text().splitlines()[1:])
    assert (served["output"]["Outcome"], served["output"]["EndpointName"]) == ("SERVING", "headrace-stage-bigmart")
    assert "Train" not in {state["state"] for state in served["states"]}
    assert ask(dev, "stage", row) == ask(dev, "dev", row)
