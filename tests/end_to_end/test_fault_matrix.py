"""Faults on purpose: how executions end that meet one, what they leave, and how they go on when they are redriven."""

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest

from headrace.local.platform.faults import CloudFaults
from tests.containers.job_roots import any_sales_row
from tests.end_to_end.conftest import Platform
from tests.end_to_end.fault_rows import ROWS, SHOP, TRAINED_AGAIN, Row, render
from tests.end_to_end.inventory import Notices, list_costs, list_jobs
from tests.end_to_end.test_pipeline import wait_for_state
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.tables import PROJECT

pytestmark = pytest.mark.slow

# What a state gets over, and a failure before and after the endpoint is changed; test_every_fault.py has all of them.
ONE_OF_A_KIND: Final = ("a job's creation is throttled twice", "a job fails", "an update is never healthy")
ROW: Final = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")


@pytest.fixture(scope="module")
def notices(platform: Platform) -> Iterator[Notices]:
    found = Notices(platform, "fault-matrix")
    yield found
    found.close()


@pytest.fixture
def faults(platform: Platform) -> Iterator[CloudFaults]:
    found = CloudFaults(platform.cloud)
    yield found
    found.clear()


def ask(endpoint: str) -> bytes:
    """What an endpoint answers."""
    runtime: Any = boto3.client("sagemaker-runtime")
    return bytes(runtime.invoke_endpoint(EndpointName=endpoint, Body=ROW, ContentType="text/csv")["Body"].read())


def redrive(platform: Platform, arn: str) -> dict[str, Any]:
    """Have an execution go on; its description once it has ended again."""
    platform.client("stepfunctions").redrive_execution(executionArn=arn)
    return platform.wait(arn)


def check_success(
    platform: Platform, end: dict[str, Any], row: Row, costs: set[str], jobs: dict[str, str], named: str
) -> None:
    """What an execution has made is there once, what was there before still is, and nothing else has been made."""
    made = sorted(list_costs(platform) - costs)
    assert end["status"] == "SUCCEEDED", end.get("cause")
    assert sorted(job.replace(f" {named}", "") for job in list_jobs(platform).keys() - jobs.keys()) == sorted(row.jobs)
    assert [one.partition(" ")[0] for one in made] == [
        "config",
        *(["endpoint"] if row.endpoint != SHOP else []),
        "model",
    ]
    assert costs <= list_costs(platform)


@pytest.mark.parametrize("name", ROWS if IS_EXHAUSTIVE else ONE_OF_A_KIND)
def test_ends_as_it_should_leaves_nothing_and_goes_on(
    platform: Platform, first_execution: dict[str, Any], notices: Notices, faults: CloudFaults, name: str
) -> None:
    row = ROWS[name]
    costs, jobs, answer = list_costs(platform), list_jobs(platform), ask(SHOP)
    given = {"EndpointName": row.endpoint} | ({"JobName": first_execution["name"]} if row.job_name else {})
    if row.preset:
        faults.add(row.preset, row.operation, times=row.times)

    end = platform.run(**given)

    arn = end["executionArn"]
    (notice,) = notices.find(arn)
    assert (end["status"], end.get("error") or "") == (row.status, row.error), end.get("cause")
    assert (notice["Status"], notice.get("Error", ""), notice.get("State", "")) == (row.status, row.error, row.state)
    assert notice["NotRemoved"] == []
    faults.clear()
    if row.error:
        assert list_costs(platform) == costs
        assert ask(SHOP) == answer
        end = redrive(platform, arn)
    check_success(platform, end, row, costs, jobs, given.get("JobName", end["name"]))
    if row.endpoint != SHOP:
        drop_endpoint(platform, row.endpoint)


@only_exhaustive("test_failures.py stops one, and the rows go on after failures")
def test_goes_on_after_it_was_stopped_by_hand(
    platform: Platform, first_execution: dict[str, Any], notices: Notices
) -> None:
    row = Row(jobs=TRAINED_AGAIN)
    costs, jobs, answer = list_costs(platform), list_jobs(platform), ask(SHOP)
    arn = platform.start(EndpointName=SHOP)
    wait_for_state(arn, "Train")

    platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")

    (notice,) = notices.find(arn)
    assert (notice["Status"], notice["State"], notice["NotRemoved"]) == ("ABORTED", "Train", [])
    assert list_costs(platform) == costs
    assert ask(SHOP) == answer
    end = redrive(platform, arn)
    check_success(platform, end, row, costs, jobs, end["name"])


def drop_endpoint(platform: Platform, name: str) -> None:
    """Delete an endpoint, and wait until it is gone."""
    sagemaker = platform.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=name)
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.config.delay = 0.1
    waiter.wait(EndpointName=name)


def test_documents_the_rows() -> None:
    page = (PROJECT / "docs" / "pipeline-faults.md").read_text(encoding="utf-8")

    assert render() in page
