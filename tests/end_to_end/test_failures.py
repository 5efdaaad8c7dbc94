"""What executions that fail or are stopped leave: nothing that costs, a notice, and a way to go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Platform
from tests.end_to_end.inventory import Notices, list_costs, list_jobs
from tests.end_to_end.test_pipeline import broken_inference_image
from tests.patience import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notices(platform: Platform) -> Iterator[Notices]:
    found = Notices(platform, "notices")
    yield found
    found.close()


def redrive(platform: Platform, arn: str) -> dict[str, Any]:
    platform.client("stepfunctions").redrive_execution(executionArn=arn)
    return platform.wait(arn)


def test_removes_a_broken_endpoint_makes_it_anew_once_the_fault_is_gone_and_tells_of_both(
    platform: Platform, first_execution: dict[str, Any], notices: Notices, tmp_path: Path
) -> None:
    before = list_costs(platform)
    with broken_inference_image(platform, tmp_path):
        failed = platform.run(EndpointName="broken")
    left = list_costs(platform)
    (notice,) = notices.find(failed["executionArn"])

    again = redrive(platform, failed["executionArn"])
    *_, told = notices.find(failed["executionArn"], 2)

    name = failed["name"]
    made = {"endpoint broken", f"model {name}-redrive1", f"config {name}-redrive1"}
    assert failed["error"] == "EndpointFailed"
    assert left == before
    assert (notice["State"], notice["Error"], notice["NotRemoved"]) == ("Endpoint In Service", "EndpointFailed", [])
    assert notice["Removed"] == ["Endpoint broken", f"EndpointConfig {name}", f"Model {name}", "turns/broken"]
    assert notice["BilledSeconds"] >= 1
    assert again["status"] == "SUCCEEDED", again.get("cause")
    assert platform.visited_states(failed["executionArn"]).count("Train") == 1
    assert (told["Status"], told["Outcome"], len(told["Jobs"])) == ("SUCCEEDED", "SERVING", 2)
    assert list_costs(platform) - before == made
    platform.client("sagemaker").delete_endpoint(EndpointName="broken")
    # Deleting takes a while, and the other tests compare what there is before and after.
    wait_until(lambda: "endpoint broken" not in list_costs(platform), "the end of the endpoint")


def test_stops_the_job_of_an_execution_that_is_stopped(
    platform: Platform, first_execution: dict[str, Any], notices: Notices
) -> None:
    before = list_costs(platform)
    arn = platform.start()
    job = f"ProcessingJob {arn.rpartition(':')[2]}"
    wait_until(lambda: job in list_jobs(platform), "its job")
    platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")

    (notice,) = notices.find(arn)

    assert (notice["Status"], notice["State"], notice["Error"]) == ("ABORTED", "Preprocess", "Test")
    # It may have ended just before it was told to.
    assert list_jobs(platform)[job] in ("Stopped", "Completed")
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
