"""Stock clients find on the local cloud what they would find on AWS."""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from headrace.cli import cli
from headrace.local.platform import inspection
from tests.end_to_end.conftest import Platform

pytestmark = pytest.mark.slow

# Its pinned botocore differs from the engine's, so it gets its own environment.
AWS_CLI = [sys.executable, "-m", "uv", "--quiet", "tool", "run", "--from", "awscli==1.46.2", "aws"]


def aws(platform: Platform, *arguments: str) -> Any:
    """The answer of an AWS CLI command."""
    environment = {**os.environ, **platform.cloud.client_environment}
    done = subprocess.run(
        [*AWS_CLI, *arguments, "--output", "json"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_boto3_describes_the_training_job(platform: Platform, first_execution: dict[str, Any]) -> None:
    job = platform.client("sagemaker").describe_training_job(TrainingJobName=first_execution["name"])

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} >= {"validation:rmse", "baseline:rmse"}


def test_waiters_end(platform: Platform, first_execution: dict[str, Any]) -> None:
    sagemaker = platform.client("sagemaker")

    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=first_execution["name"])
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=first_execution["name"])
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")


def test_the_cost_of_an_execution_says_that_nothing_is_known_of_its_machines(first_execution: dict[str, Any]) -> None:
    done = CliRunner().invoke(cli, ["cost", "--execution", first_execution["executionArn"], "--json"])

    assert done.exit_code == 0, done.output
    advice = {each["machine"]["kind"]: each["says"] for each in json.loads(done.stdout)["sizing"]}
    few = "too few measurements: 0 minutes, and 5 would do"
    assert advice == {"processing job": few, "training job": few}


def test_the_aws_cli_describes_an_execution(platform: Platform, first_execution: dict[str, Any]) -> None:
    execution = aws(platform, "stepfunctions", "describe-execution", "--execution-arn", first_execution["executionArn"])

    assert execution["status"] == "SUCCEEDED"


def test_the_aws_cli_invokes_the_endpoint(
    platform: Platform, first_execution: dict[str, Any], sales: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(sales.read_text().splitlines()[:3]))
    answer = tmp_path / "answer.csv"

    aws(
        platform,
        "sagemaker-runtime",
        "invoke-endpoint",
        "--endpoint-name",
        "shop",
        "--content-type",
        "text/csv",
        "--body",
        f"fileb://{rows}",
        str(answer),
    )

    assert [float(line) > 0 for line in answer.read_text().splitlines()] == [True, True]


def test_a_bad_request_gets_the_endpoints_own_message(platform: Platform, first_execution: dict[str, Any]) -> None:
    runtime = platform.client("sagemaker-runtime")

    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName="shop", Body="only,three,fields", ContentType="text/csv")

    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 400
    assert "row 1" in refused.value.response["OriginalMessage"]


@pytest.mark.parametrize(
    ("kind", "line"),
    [("preprocessing", "rows=1500"), ("training", "metric validation:rmse="), ("endpoint", "model_loaded")],
)
def test_logs_are_where_sagemaker_puts_them(
    platform: Platform, first_execution: dict[str, Any], kind: str, line: str
) -> None:
    name = "shop" if kind == "endpoint" else first_execution["name"]

    assert wait_for_line(kind, name, line)


def wait_for_line(kind: str, name: str, line: str) -> bool:
    """Whether a line is logged within ten seconds: logs are sent about once a second."""
    pause = threading.Event()
    for _ in range(50):
        with suppress(inspection.NothingLoggedError):
            if any(line in logged for logged in inspection.read_log(kind, name)):
                return True
        pause.wait(0.2)
    return False
