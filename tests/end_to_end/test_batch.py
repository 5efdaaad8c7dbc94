"""A batch on the local cloud, under its policies: row by row what an endpoint of the same version answers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.cli.summary import RunSummary, render
from headrace.cli.workload_run import run_workload
from headrace.contract import transform_prefix
from headrace.local.platform import pipeline
from headrace.recipes import big_mart
from headrace.s3.addresses import S3Address
from headrace.workloads import big_mart as workload
from headrace.workloads.sales import write_csv
from headrace.workloads.workload import IN_BATCH
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

# As many as Big Mart's own Test.csv has.
ROWS = 5681


@pytest.fixture(scope="module")
def batching(tmp_path_factory: pytest.TempPathFactory, sales: Path) -> Iterator[Platform]:
    """`dev` where Big Mart's model is asked about batches."""
    context = configure_dev(deploy="batch")
    with running_with_app(tmp_path_factory.mktemp("batch") / "cloud", assemble(context)) as cloud, clients_of(cloud):
        platform = Platform(cloud, push_container_images(cloud, "dev"))
        workload.Run(sales, sales.parent).bring_data(platform.site)
        yield platform


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Items whose sales are asked for, without a header."""
    path = tmp_path_factory.mktemp("rows") / "sales.csv"
    write_csv(path, rows=ROWS)
    return [line.rpartition(",")[0] for line in path.read_text().splitlines()[1:]]


def put_input(name: str, rows: list[str], platform: Platform) -> None:
    boto3.client("s3").put_object(
        Bucket=platform.deployment.raw_bucket,
        Key=f"{transform_prefix(big_mart.RECIPE.name)}{name}",
        Body="".join(f"{row}\n" for row in rows).encode(),
    )


def read_object(url: str, name: str) -> list[str]:
    place = S3Address.parse_uri(url)
    body = boto3.client("s3").get_object(Bucket=place.bucket, Key=f"{place.key}{name}")["Body"]
    lines: list[str] = body.read().decode().splitlines()
    return lines


def ask_endpoint(model: str, rows: list[str]) -> list[str]:
    """What an endpoint of this model answers."""
    sagemaker = boto3.client("sagemaker")
    variant: Any = {"VariantName": "all", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="compared", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="compared", EndpointConfigName="compared")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="compared", WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
    answer = pipeline.invoke_endpoint("compared", "\n".join(rows).encode(), content_type="text/csv", accept="text/csv")
    return answer.decode().splitlines()


@dataclass(frozen=True)
class FirstRun:
    """A run of the workload that has trained a model and asked it about its own batch."""

    made: RunSummary
    shown: str
    batch: bytes


@pytest.fixture(scope="module")
def first(batching: Platform, sales: Path, tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    run = workload.Run(sales, tmp_path_factory.mktemp("run"))
    made = run_workload(run, batching.cloud, batching.deployment, {})
    folder = batching.site.find_batch(big_mart.RECIPE)
    assert folder
    batch = folder.read("batch.csv")
    folder.remove("batch.csv")
    return FirstRun(made, render(made, run.scores), batch)


def test_a_run_brings_a_batch_and_shows_what_was_answered(first: FirstRun, sales: Path) -> None:
    made, shown = first.made, first.shown

    assert made.report.outcome == "TRANSFORMED"
    assert f"transformed {made.report.output['TransformedUrl']}" in shown
    assert "asked in a batch" in shown
    assert len(made.predictions) == 5
    assert all(isinstance(each.predicted, float) and isinstance(each.actual, float) for each in made.predictions)
    assert len(first.batch.splitlines()) == len(sales.read_text().splitlines()[1:][:IN_BATCH])


def test_answers_another_batch_without_training_as_an_endpoint_does(
    batching: Platform, first: FirstRun, rows: list[str]
) -> None:
    version = first.made.report.output["ModelPackageArn"]
    put_input("monday.csv", rows[:4000], batching)
    put_input("tuesday/all.csv", rows[4000:], batching)

    execution = batching.run(ModelPackageArn=version)

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    output = json.loads(execution["output"])
    assert output["Outcome"] == "TRANSFORMED"
    found = [read_object(output["TransformedUrl"], f"{name}.out") for name in ("monday.csv", "tuesday/all.csv")]
    assert boto3.client("sagemaker").list_endpoints()["Endpoints"] == []
    answers = ask_endpoint(output["ModelName"], rows)
    assert len(answers) == ROWS
    assert [line for part in found for line in part] == [
        f"{row},{answer}" for row, answer in zip(rows, answers, strict=True)
    ]

    put_input("monday.csv", ["Item_Weight,no,numbers"], batching)
    refused = batching.run(ModelPackageArn=version)
    assert (refused["status"], refused["error"]) == ("FAILED", "TransformFailed")
