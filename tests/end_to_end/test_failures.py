"""What executions that fail or are stopped leave: nothing that costs, a notice, and a way to go on."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.contract import NOTICE_SOURCE
from tests.end_to_end.conftest import Platform
from tests.end_to_end.test_pipeline import broken_inference_image, wait_for_state
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


class Notices:
    """The notices on the event bus."""

    def __init__(self, platform: Platform) -> None:
        self._sqs = platform.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="notices")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        events = platform.client("events")
        events.put_rule(Name="notices", EventPattern=json.dumps({"source": [NOTICE_SOURCE]}))
        events.put_targets(Rule="notices", Targets=[{"Id": "queue", "Arn": arn}])
        self._received: list[dict[str, Any]] = []

    def find(self, arn: str) -> list[dict[str, Any]]:
        """Those about an execution; there is at least one sooner or later."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := self._look(arn)):
            assert time.monotonic() < until, f"no notice about {arn}"
            time.sleep(0.2)
        return found

    def _look(self, arn: str) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self._received.append(json.loads(message["Body"])["detail"])
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [notice for notice in self._received if notice["ExecutionArn"] == arn]


@pytest.fixture(scope="module")
def notices(platform: Platform) -> Iterator[Notices]:
    yield Notices(platform)
    platform.client("events").remove_targets(Rule="notices", Ids=["queue"])
    platform.client("events").delete_rule(Name="notices")


def list_costs(platform: Platform) -> set[str]:
    """What costs while it is there, and the models and configurations that belong to it."""
    sagemaker = platform.client("sagemaker")
    running = {"StatusEquals": "InProgress"}
    return {
        *(job["TrainingJobName"] for job in sagemaker.list_training_jobs(**running)["TrainingJobSummaries"]),
        *(job["ProcessingJobName"] for job in sagemaker.list_processing_jobs(**running)["ProcessingJobSummaries"]),
        *(f"endpoint {one['EndpointName']}" for one in sagemaker.list_endpoints(MaxResults=100)["Endpoints"]),
        *(f"model {one['ModelName']}" for one in sagemaker.list_models(MaxResults=100)["Models"]),
        *(
            f"config {one['EndpointConfigName']}"
            for one in sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]
        ),
    }


def redrive(platform: Platform, arn: str) -> dict[str, Any]:
    platform.client("stepfunctions").redrive_execution(executionArn=arn)
    return platform.wait(arn)


def test_removes_a_broken_endpoint_and_makes_it_anew_once_the_fault_is_gone(
    platform: Platform, first_execution: dict[str, Any], notices: Notices, tmp_path: Path
) -> None:
    before = list_costs(platform)
    with broken_inference_image(platform, tmp_path):
        failed = platform.run(EndpointName="broken")
    left = list_costs(platform)
    (notice,) = notices.find(failed["executionArn"])

    again = redrive(platform, failed["executionArn"])

    name = failed["name"]
    made = {"endpoint broken", f"model {name}-redrive1", f"config {name}-redrive1"}
    assert failed["error"] == "EndpointFailed"
    assert left == before
    assert (notice["State"], notice["Error"], notice["NotRemoved"]) == ("Endpoint In Service", "EndpointFailed", [])
    assert notice["Removed"] == ["Endpoint broken", f"EndpointConfig {name}", f"Model {name}", "turns/broken"]
    assert notice["BilledSeconds"] >= 1
    assert again["status"] == "SUCCEEDED", again.get("cause")
    assert platform.visited_states(failed["executionArn"]).count("Train") == 1
    assert list_costs(platform) - before == made
    platform.client("sagemaker").delete_endpoint(EndpointName="broken")


def test_stops_the_job_of_an_execution_that_is_stopped(
    platform: Platform, first_execution: dict[str, Any], notices: Notices
) -> None:
    before = list_costs(platform)
    arn = platform.start()
    wait_for_state(arn, "Preprocess")
    platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")

    (notice,) = notices.find(arn)

    assert (notice["Status"], notice["State"], notice["Error"]) == ("ABORTED", "Preprocess", "Test")
    assert list_costs(platform) == before


def test_leaves_alone_what_another_execution_has_made_under_the_same_name(
    platform: Platform, first_execution: dict[str, Any], notices: Notices
) -> None:
    before = list_costs(platform)

    execution = platform.run(JobName=first_execution["name"])

    (notice,) = notices.find(execution["executionArn"])
    assert (execution["error"], notice["NotRemoved"]) == ("PreprocessFailed", [])
    assert notice["Removed"] == ["turns/headrace-dev-bigmart"]
    assert list_costs(platform) == before


def test_tells_of_an_execution_that_has_gone_well(
    platform: Platform, first_execution: dict[str, Any], notices: Notices
) -> None:
    execution = platform.run(EndpointName="shop")

    (notice,) = notices.find(execution["executionArn"])
    assert (notice["Status"], notice["Outcome"], len(notice["Jobs"])) == ("SUCCEEDED", "SERVING", 2)
