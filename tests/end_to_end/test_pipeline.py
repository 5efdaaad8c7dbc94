"""The state machine of the synthesized templates, executed to a live endpoint."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from containers.big_mart.training import contract as training
from headrace.local.engine.container_images import Environments, push
from headrace.local.platform import pipeline
from headrace.local.platform.running import Folders
from headrace.recipes import big_mart, list_usual_container_images
from tests.end_to_end.conftest import Platform, shuffle_sales
from tests.examples import IS_EXHAUSTIVE

pytestmark = pytest.mark.slow

HELD_OUT_BETTER = 0.9
# What names are derived from, whatever the execution's own: tests/stacks/pipeline/test_names.py.
ODD_NAMES = ("long-" + "n" * 75, "ünïcödé", *(("under_scored.name", "at-once") if IS_EXHAUSTIVE else ()))


class ReachedError(Exception):
    """An execution has got where a test wants it."""


@contextmanager
def broken_inference_image(platform: Platform, scratch: Path) -> Iterator[None]:
    """The inference image, pushed anew with a program that ends at once."""
    images = platform.deployment.images
    environments = Environments(Folders().environments)
    (scratch / "bin").mkdir()
    (scratch / "bin" / "python").symlink_to("/bin/false")
    push(platform.cloud.root, images, environments.paths() | {big_mart.INFERENCE: scratch})
    try:
        yield
    finally:
        push(platform.cloud.root, images, environments.paths())


def wait_for_state(arn: str, state: str) -> None:
    """Follow an execution until it enters a state."""

    def stop_there(entered: str) -> None:
        if entered == state:
            raise ReachedError

    with pytest.raises(ReachedError):
        pipeline.follow_execution(arn, stop_there)


COMMON_STATES = [
    "Name Resources",
    "Check Names",
    "Version Given",
    "Take Turn",
    "Resume",
    "Find Serving Endpoint",
    "Nothing To Compare With",
    "Choose Way In",
    "Preprocess",
    "Train",
    "Judge",
    "All Rules Passed",
    "Record",
    "Find Archive",
    "Version Made",
    "Register",
    "Find Archive",
    "Version Made",
    "Look At Version",
    "Version Unchanged",
    "Save Model",
    "Create Endpoint Config",
    "Look For Endpoint",
]


def test_goes_from_raw_rows_to_a_live_endpoint(platform: Platform, first_execution: dict[str, Any]) -> None:
    states = platform.visited_states(first_execution["executionArn"])

    assert states[: len(COMMON_STATES) + 2] == [*COMMON_STATES, "No Endpoint Found", "Create Endpoint"]
    assert states[-1] == "Done"


def test_names_everything_after_the_execution_when_the_input_leaves_it_out(first_execution: dict[str, Any]) -> None:
    output = first_execution["output"]

    assert output["JobName"] == output["ModelName"] == output["EndpointConfigName"] == first_execution["name"]
    assert output["EndpointName"] == "shop"


def test_tags_whatever_it_makes(platform: Platform, first_execution: dict[str, Any]) -> None:
    sagemaker, name = platform.client("sagemaker"), first_execution["name"]
    made = [
        sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobArn"],
        sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobArn"],
        sagemaker.describe_model(ModelName=name)["ModelArn"],
        sagemaker.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"],
        sagemaker.describe_endpoint(EndpointName="shop")["EndpointArn"],
    ]

    kept = [{tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]} for arn in made]

    expected = {"project": "headrace", "environment": "dev", "workload": "bigmart", "headrace:execution": name}
    assert kept == [expected] * len(made)


def test_finds_every_container_image_in_the_repositories_without_an_engine(platform: Platform) -> None:
    environment = {**os.environ, **platform.cloud.client_environment, "PATH": ""}

    done = subprocess.run(
        [sys.executable, "-m", "headrace", "containers", "push", "--build", "--env", "dev"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    states = [line.partition("\t")[2] for line in done.stdout.splitlines()]
    assert (done.returncode, states) == (0, ["already there"] * len(list_usual_container_images())), done.stderr


def test_reports_scores_better_than_the_mean_predictor(first_execution: dict[str, Any]) -> None:
    metrics = first_execution["output"]["Metrics"]

    assert metrics[training.VALIDATION_RMSE] < HELD_OUT_BETTER * metrics[training.BASELINE_RMSE]
    assert metrics[training.VALIDATION_R2] > 0 > metrics[training.BASELINE_R2] - 0.05


def test_leaves_the_features_and_the_model_in_the_work_bucket(
    platform: Platform, first_execution: dict[str, Any]
) -> None:
    name = first_execution["name"]

    assert platform.list_work(f"executions/bigmart/{name}/") == [
        "encoding/encoding.json",
        "encoding/inputs.json",
        "encoding/profile.json",
        f"model/{name}/output/model.tar.gz",
        f"model/{name}/output/output.tar.gz",
        "record/evaluation.json",
        "record/inputs.json",
        "record/profile.json",
        "test/test_features.csv",
        "test/test_labels.csv",
        "train/train_features.csv",
        "train/train_labels.csv",
    ]


def test_answers_raw_rows_in_order(platform: Platform, first_execution: dict[str, Any], sales: Path) -> None:
    runtime = platform.client("sagemaker-runtime")
    lines = sales.read_text().splitlines()[1:6]

    def predict(rows: list[str]) -> list[float]:
        body = "\n".join(row.rsplit(",", 1)[0] for row in rows)
        answer = runtime.invoke_endpoint(
            EndpointName="shop", Body=body, ContentType="text/csv", Accept="application/json"
        )
        values: list[float] = json.loads(answer["Body"].read())["predictions"]
        return values

    assert predict(lines) == [predict([line])[0] for line in lines]
    assert len(set(predict(lines))) > 1


@dataclass(frozen=True)
class NamedExecution:
    """An execution that was given all names over an endpoint that stood, and the endpoint after it."""

    execution: dict[str, Any]
    endpoint: dict[str, Any]


@pytest.fixture(scope="module")
def named(platform: Platform, first_execution: dict[str, Any]) -> NamedExecution:
    execution = platform.run(JobName="my-job", ModelName="my-model", EndpointName="shop")
    return NamedExecution(execution, platform.client("sagemaker").describe_endpoint(EndpointName="shop"))


def test_updates_the_endpoint_when_it_exists(platform: Platform, named: NamedExecution) -> None:
    execution, endpoint = named.execution, named.endpoint

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    visited = platform.visited_states(execution["executionArn"])
    assert visited[visited.index("Endpoint Found") + 1] == "Update Endpoint"
    assert endpoint["EndpointConfigName"] == execution["name"]
    assert endpoint["EndpointStatus"] == "InService"


def test_uses_the_names_that_the_input_gives(platform: Platform, named: NamedExecution) -> None:
    sagemaker = platform.client("sagemaker")
    output = json.loads(named.execution["output"])

    assert (output["JobName"], output["ModelName"]) == ("my-job", "my-model")
    assert sagemaker.describe_training_job(TrainingJobName="my-job")["TrainingJobStatus"] == "Completed"
    assert sagemaker.describe_model(ModelName="my-model")["PrimaryContainer"]["ModelDataUrl"] == output["ModelDataUrl"]


def test_refuses_a_name_that_sagemaker_would_refuse_before_anything_runs(platform: Platform) -> None:
    execution = platform.run(ModelName="no_underscores")

    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidName")
    assert execution["cause"] == (
        'ModelName: SageMaker does not allow the name "no_underscores"; '
        "allowed: 1 to 63 letters, digits and inner hyphens"
    )
    assert "Preprocess" not in platform.visited_states(execution["executionArn"])


def test_fails_with_the_programs_reason_when_the_rows_are_wrong(
    platform: Platform, with_rows: Callable[[Path], None], sales: Path, tmp_path: Path
) -> None:
    lines = sales.read_text().splitlines(keepends=True)
    lines[16] = lines[16].rsplit(",", 1)[0] + ",many\n"
    broken = tmp_path / "broken.csv"
    broken.write_text("".join(lines))
    with_rows(broken)

    try:
        execution = platform.run()
    finally:
        with_rows(sales)

    job = platform.client("sagemaker").describe_processing_job(ProcessingJobName=execution["name"])
    reason = "broken.csv, line 17, column Item_Outlet_Sales: expected a number, found 'many'"
    assert (execution["status"], execution["error"]) == ("FAILED", "PreprocessFailed")
    assert execution["cause"].startswith(f"Preprocess: {reason}")
    assert reason in job["FailureReason"]
    assert job["ExitMessage"].startswith(reason)
    assert platform.list_work(f"executions/bigmart/{execution['name']}/") == []


def test_fails_when_there_are_no_rows(platform: Platform, with_rows: Callable[[Path], None], sales: Path) -> None:
    raw = platform.deployment.raw_bucket
    platform.client("s3").delete_object(Bucket=raw, Key=f"bigmart/{sales.name}")

    try:
        execution = platform.run()
    finally:
        with_rows(sales)

    assert execution["error"] == "PreprocessFailed"
    assert f'No S3 objects found under S3 URL "s3://{raw}/bigmart/"' in execution["cause"]


def test_fails_and_keeps_serving_when_an_update_is_rolled_back(
    platform: Platform, first_execution: dict[str, Any], sales: Path, tmp_path: Path
) -> None:
    before = platform.client("sagemaker").describe_endpoint(EndpointName="shop")["EndpointConfigName"]
    with broken_inference_image(platform, tmp_path):
        execution = platform.run(EndpointName="shop")

    after = platform.client("sagemaker").describe_endpoint(EndpointName="shop")
    assert execution["error"] == "EndpointRolledBack"
    assert f"endpoint shop serves {before} again: the update was rolled back." in execution["cause"]
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)


def ask(platform: Platform, sales: Path) -> list[float]:
    """What the endpoint answers for a few rows."""
    body = "\n".join(sales.read_text().splitlines()[:6])
    answer = platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="shop", Body=body, ContentType="text/csv; header=present", Accept="application/json"
    )
    predictions: list[float] = json.loads(answer["Body"].read())["predictions"]
    return predictions


def test_goes_on_serving_the_old_model_when_one_of_shuffled_sales_is_refused(
    platform: Platform, first_execution: dict[str, Any], with_rows: Callable[[Path], None], sales: Path, tmp_path: Path
) -> None:
    sagemaker = platform.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName="shop")["EndpointConfigName"], ask(platform, sales)
    with_rows(shuffle_sales(sales, tmp_path / "shuffled.csv"))

    try:
        execution = platform.run(EndpointName="shop")
    finally:
        with_rows(sales)

    output = json.loads(execution["output"])
    (rule,) = output["Rules"]
    after = sagemaker.describe_endpoint(EndpointName="shop")["EndpointConfigName"], ask(platform, sales)
    assert (execution["status"], output["Outcome"], rule["Verdict"]) == ("SUCCEEDED", "REFUSED", "FAILED")
    assert rule["Value"] == output["Metrics"][training.VALIDATION_RMSE] > rule["Limit"]
    assert platform.visited_states(execution["executionArn"])[-1] == "Refused"
    assert after == before
    assert output["ModelDataUrl"].endswith(
        f"/executions/bigmart/{execution['name']}/model/{execution['name']}/output/model.tar.gz"
    )
    assert execution["name"] not in [model["ModelName"] for model in sagemaker.list_models(MaxResults=100)["Models"]]


def test_refuses_a_misspelt_input_before_anything_runs(platform: Platform) -> None:
    execution = platform.run(EndpointNmae="shop")

    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidInput")
    assert execution["cause"].startswith("unknown in the input: EndpointNmae; it may have JobName, ")
    assert platform.visited_states(execution["executionArn"]) == ["Name Resources", "Check Names", "Failed"]


@dataclass(frozen=True)
class ExecutionsAtOnce:
    """Executions that ran at once without an input, by their names, and the endpoints that they made."""

    ends: dict[str, dict[str, Any]]
    endpoints: set[str]


@pytest.fixture(scope="module")
def at_once(platform: Platform, first_execution: dict[str, Any]) -> ExecutionsAtOnce:
    before = list_endpoints(platform)
    arns = [platform.start(name) for name in ODD_NAMES]
    ends = {name: platform.wait(arn) for name, arn in zip(ODD_NAMES, arns, strict=True)}
    return ExecutionsAtOnce(ends, list_endpoints(platform) - before)


def list_endpoints(platform: Platform) -> set[str]:
    return {endpoint["EndpointName"] for endpoint in platform.client("sagemaker").list_endpoints()["Endpoints"]}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_runs_under_any_execution_name(at_once: ExecutionsAtOnce, name: str) -> None:
    assert at_once.ends[name]["status"] == "SUCCEEDED", at_once.ends[name].get("cause")


def test_changes_one_endpoint_when_several_executions_run_at_once_without_an_input(
    platform: Platform, at_once: ExecutionsAtOnce
) -> None:
    endpoint = platform.client("sagemaker").describe_endpoint(EndpointName="headrace-dev-bigmart")

    outputs = [json.loads(end["output"]) for end in at_once.ends.values()]
    made = {output["EndpointConfigName"] for output in outputs}
    assert len(made) == len(ODD_NAMES)
    assert at_once.endpoints <= {"headrace-dev-bigmart"}
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] in made
    assert {output.get("SupersededBy") for output in outputs} <= {None, *made}
    (last,) = (output for output in outputs if output["EndpointConfigName"] == endpoint["EndpointConfigName"])
    assert "SupersededBy" not in last


def test_tells_the_one_that_fails_from_the_others_when_executions_meet_on_an_endpoint(
    platform: Platform, first_execution: dict[str, Any], tmp_path: Path
) -> None:
    good = platform.start("meets-good", EndpointName="shop")
    wait_for_state(good, "Describe Endpoint")
    with broken_inference_image(platform, tmp_path):
        bad = platform.wait(platform.start("meets-bad", EndpointName="shop"))

    serving = platform.client("sagemaker").describe_endpoint(EndpointName="shop")["EndpointConfigName"]
    assert platform.wait(good)["status"] == "SUCCEEDED"
    assert bad["error"] == "EndpointRolledBack"
    assert "did not pass the ping health check" in bad["cause"]
    assert serving == "meets-good"
