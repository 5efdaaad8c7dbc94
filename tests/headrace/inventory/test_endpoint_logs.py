"""Logs of endpoints that are gone are found, and whose they were where a version knows it."""

from typing import Any

from headrace.inventory.endpoint_logs import ENDPOINT_LOGS, list_lost_logs, name_endpoints_of_versions
from tests.headrace.inventory.test_run_time import Account


def describe_logs(*endpoints: str) -> dict[str, Any]:
    names = [f"{ENDPOINT_LOGS}{endpoint}" for endpoint in endpoints]
    return {
        f"describe_log_groups {ENDPOINT_LOGS}": {"logGroups": [{"logGroupName": name} for name in names]},
        **{f"list_tags_log_group {name}": {"tags": {}} for name in names},
    }


def test_lists_the_logs_of_endpoints_that_are_gone() -> None:
    answers = describe_logs("shop", "standing", "known", "stack")
    answers[f"list_tags_log_group {ENDPOINT_LOGS}stack"] = {"tags": {"aws:cloudformation:stack-name": "s"}}
    answers["list_endpoints"] = {"Endpoints": [{"EndpointName": "standing"}]}

    lost = list_lost_logs(Account(answers), {f"{ENDPOINT_LOGS}known"})

    assert [item.name for item in lost] == [f"{ENDPOINT_LOGS}shop"]


def test_knows_the_endpoints_that_versions_were_made_for() -> None:
    answers = {
        "list_model_packages group": {
            "ModelPackageSummaryList": [{"ModelPackageArn": "arn:1"}, {"ModelPackageArn": "arn:2"}]
        },
        "describe_model_package arn:1": {"CustomerMetadataProperties": {"headrace:endpoint": "shop"}},
        "describe_model_package arn:2": {},
    }

    assert name_endpoints_of_versions(Account(answers), ["group"]) == {"shop"}
