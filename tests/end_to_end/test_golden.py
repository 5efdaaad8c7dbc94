"""An update of an endpoint that no client calls is rolled back by golden requests alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.contract import golden_prefix
from headrace.local.platform import pipeline
from headrace.recipes import big_mart
from headrace.workloads import big_mart as workload
from headrace.workloads.tables import to_csv
from tests.containers.job_roots import any_sales_row
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

GUARDED = {"golden": {"volume_gib": 10}, "metrics_seconds": 10, "update": {"wait_seconds": 900}}
ROW = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")
# Whatever a forest predicts is that near.
RIGHT = {"id": "juice", "content_type": "text/csv", "body": ROW, "expected": "1500", "tolerance": 1e9}
WRONG = {**RIGHT, "id": "shoes", "expected": "no number"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, sales: Path) -> Iterator[Platform]:
    """`dev` with an endpoint that is asked golden requests, and a model that serves."""
    context = configure_dev(endpoint=GUARDED)
    with running_with_app(tmp_path_factory.mktemp("golden") / "cloud", assemble(context)) as cloud, clients_of(cloud):
        platform = Platform(cloud, push_container_images(cloud, "dev"))
        workload.Run(sales, sales.parent).bring_data(platform.site)
        put_requests(platform, RIGHT)
        first = platform.run("first")
        assert first["status"] == "SUCCEEDED", first.get("cause")
        yield platform


def put_requests(platform: Platform, *requests: object) -> None:
    """Make these the golden requests."""
    platform.client("s3").put_object(
        Bucket=platform.deployment.outputs["RawBucketName"],
        Key=f"{golden_prefix(big_mart.RECIPE.name)}requests.jsonl",
        Body="\n".join(map(json.dumps, requests)).encode(),
    )


def golden(*arguments: object) -> Result:
    """`headrace pipeline golden`, with the clients of this process."""
    return CliRunner().invoke(cli, ["pipeline", "golden", *map(str, arguments)])


def test_records_what_the_endpoint_answers_where_the_pipeline_reads_it(guarded: Platform, tmp_path: Path) -> None:
    put_requests(guarded, RIGHT)
    rows = tmp_path / "rows.csv"
    rows.write_bytes(to_csv([any_sales_row()]))

    refused = golden("record", rows, "--upload")
    forced = golden("record", rows, "--upload", "--force", "-o", tmp_path / "requests.jsonl")
    checked = golden("check", "--json")
    put_requests(guarded, RIGHT, WRONG)
    wrong = golden("check")

    assert (refused.exit_code, forced.exit_code, checked.exit_code, wrong.exit_code) == (1, 0, 0, 1), forced.output
    assert "requests.jsonl is already there; replace it with --force" in refused.stderr
    assert float(json.loads((tmp_path / "requests.jsonl").read_bytes())["expected"]) > 0
    assert json.loads(checked.stdout) == {"endpoint": "headrace-dev-bigmart", "requests": 1, "wrong": []}
    assert '"no number"' in wrong.stdout


def test_rolls_an_update_back_without_any_traffic(guarded: Platform) -> None:
    put_requests(guarded, RIGHT)

    # A file that changes after the rehearsal stands for a model that answers otherwise once it serves.
    def break_after_rehearsal(entered: str) -> None:
        if entered == "Create Endpoint Config":
            put_requests(guarded, RIGHT, WRONG)

    arn = guarded.start("second")
    with pytest.raises(pipeline.PipelineError):
        pipeline.follow_execution(arn, break_after_rehearsal)

    second = guarded.client("stepfunctions").describe_execution(executionArn=arn)
    endpoint = guarded.client("sagemaker").describe_endpoint(EndpointName="headrace-dev-bigmart")
    assert (second["status"], second["error"]) == ("FAILED", "EndpointRolledBack"), second["cause"]
    assert "headrace-dev-bigmart-golden-requests" in second["cause"]
    assert "1 of 2 golden requests are not answered as expected: shoes expected" in second["cause"]
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")
