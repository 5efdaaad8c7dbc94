"""Updates that SageMaker would refuse, or that nothing could roll back, are refused at synthesis."""

from typing import Any

import pytest

from headrace.recipes import big_mart
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.settings.test_environment import environments_with, refusal

SERVERLESS: dict[str, Any] = {"serverless": {}}
CANARY = {"traffic": "canary", "wait_seconds": 120, "alarms": {"error_percent": 1.0}}


@pytest.mark.parametrize(
    "endpoint",
    [
        {},
        {"update": {"wait_seconds": 120, "alarms": {"error_percent": 1.0}}},
        {"update": {"wait_seconds": 60}},
        {"metrics_seconds": 10, "update": {"wait_seconds": 20, "alarms": {"error_percent": 0}}},
        {"instance_count": 2, "update": CANARY},
        {"golden": {}, "update": {"wait_seconds": 120}},
        {"instance_count": 10, "update": {**CANARY, "traffic": "linear", "step_percent": 10}},
        {"serverless": {"memory_mb": 6144, "max_concurrency": 200, "provisioned_concurrency": 200}},
        {**SERVERLESS, "golden": {}, "update": {"wait_seconds": 120, "alarms": {"error_percent": 1.0}}},
    ],
)
def test_takes_updates_that_sagemaker_can_carry_out(endpoint: dict[str, Any]) -> None:
    settings = Settings.from_mapping("dev", environments_with("bigmart.endpoint", endpoint))

    assert settings.workload(big_mart.RECIPE).endpoint.metrics_seconds == endpoint.get("metrics_seconds", 60)


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (
            {"update": CANARY},
            "update.traffic: canary with 50 % of 1 machines would begin with less than one, and SageMaker allows at "
            "most 50 %; set instance_count to at least 2, or traffic to all_at_once",
        ),
        ({"instance_count": 3, "update": {**CANARY, "canary_percent": 25}}, "set instance_count to at least 4"),
        ({"instance_count": 2, "update": {"traffic": "canary"}}, "there are none; set update.alarms or golden"),
        (
            {"update": {"alarms": {"error_percent": 1.0}}},
            "update.wait_seconds: found 0, too short for alarms on metrics that come every 60 s; set it to at least "
            "120",
        ),
        (
            {"metrics_seconds": 30, "update": {"wait_seconds": 59, "alarms": {"error_percent": 1.0}}},
            "set it to at least 60",
        ),
        (
            {"update": {"traffic": "linear", "step_percent": 10, "wait_seconds": 600}},
            "found 3600, but traffic linear with wait_seconds 600 and termination_wait_seconds 0 waits for 6000 s; "
            "allow more, or wait less",
        ),
        ({"update": {"wait_seconds": 600, "timeout_seconds": 600}}, "waits for 600 s"),
        ({"update": {"wait_seconds": 120, "alarms": {}}}, "none of the alarms"),
        ({"update": {"canary_percent": 51}}, "allowed: whole number, 1 to 50"),
        ({"update": {"step_percent": 9}}, "allowed: whole number, 10 to 50"),
        ({"update": {"timeout_seconds": 599}}, "allowed: whole number, 600 to 28800"),
        ({"golden": {}}, "update.wait_seconds: found 0, too short"),
        ({"golden": {"requests": "../x"}, "update": {"wait_seconds": 120}}, "allowed: text"),
        ({"metrics_seconds": 20}, "allowed: 10 or 30 or 60"),
        ({"update": {"traffic": "rolling"}}, 'allowed: "all_at_once" or "canary" or "linear"'),
    ],
)
def test_refuses_updates_that_cannot_be_carried_out(endpoint: dict[str, Any], reason: str) -> None:
    said = refusal("bigmart.endpoint", endpoint)

    assert "environments.dev.bigmart.endpoint" in said
    assert reason in said


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (
            {**SERVERLESS, "instance_count": 2},
            "instance_count: found 2, but a serverless endpoint has no machines; leave "
            "instance_count or serverless out",
        ),
        ({**SERVERLESS, "instance_type": "ml.g5.xlarge"}, "instance_type: found ml.g5.xlarge, but a serverless"),
        ({**SERVERLESS, "metrics_seconds": 10}, "metrics_seconds: found 10, but a serverless endpoint"),
        ({**SERVERLESS, "update": CANARY}, "update.traffic: canary moves requests by shares of the machines"),
        ({**SERVERLESS, "update": {**CANARY, "traffic": "linear"}}, "set it to all_at_once"),
        (
            {**SERVERLESS, "update": {"wait_seconds": 120, "alarms": {"container_errors": True}}},
            "update.alarms.container_errors: SageMaker collects",
        ),
        ({"serverless": {"memory_mb": 1000}}, "allowed: 1024 or 2048 or 3072 or 4096 or 5120 or 6144"),
        ({"serverless": {"max_concurrency": 201}}, "allowed: whole number, 1 to 200"),
        ({"serverless": {"max_concurrency": 0}}, "allowed: whole number, 1 to 200"),
        (
            {"serverless": {"max_concurrency": 2, "provisioned_concurrency": 3}},
            "found 3, which is above max_concurrency 2",
        ),
    ],
)
def test_refuses_what_serverless_endpoints_do_not_have(endpoint: dict[str, Any], reason: str) -> None:
    assert reason in refusal("bigmart.endpoint", endpoint)


def test_refuses_a_serverless_endpoint_where_a_customers_key_is_to_encrypt_everything() -> None:
    environments = environments_with("bigmart.endpoint", SERVERLESS)
    environments["dev"]["encryption"] = {"customer_key": True}

    with pytest.raises(SettingsError, match=r"bigmart\.endpoint\.serverless: a serverless endpoint has no volumes"):
        Settings.from_mapping("dev", environments)


@pytest.mark.parametrize(
    "endpoint",
    [
        {"scaling": {}},
        {"instance_type": "ml.trn1.2xlarge", "scaling": {"enabled": False}},
        {"instance_count": 2, "scaling": {"min_instances": 2, "max_instances": 4}, "update": CANARY},
        {"scaling": {"schedules": [{"at": "at(9999-01-31T08:00:00)", "min_instances": 1, "max_instances": 9}]}},
    ],
)
def test_takes_bounds_that_an_endpoint_can_keep(endpoint: dict[str, Any]) -> None:
    assert Settings.from_mapping("dev", environments_with("bigmart.endpoint", endpoint))


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ({**SERVERLESS, "scaling": {}}, "scaling: a serverless endpoint has no machines to add or remove"),
        ({"scaling": {"min_instances": 3}}, "min_instances: found 3, which is above max_instances 2"),
        (
            {"instance_count": 3, "scaling": {}},
            "instance_count: found 3, which is not from scaling.min_instances 1 to scaling.max_instances 2",
        ),
        ({"instance_type": "ml.t2.medium", "scaling": {}}, "ml.t2.medium is burstable"),
        (
            {"instance_count": 2, "scaling": {}, "update": CANARY},
            "canary with 50 % of 1 machines, the fewest that scaling leaves, would begin with less than one; set "
            "scaling.min_instances to at least 2",
        ),
        (
            {"scaling": {"schedules": [{"at": "daily", "min_instances": 1, "max_instances": 1}]}},
            "bigmart.endpoint.scaling.schedules.0.at: found 'daily': it is not at(…), rate(…) or cron(…)",
        ),
        (
            {"scaling": {"schedules": [{"at": "cron(0 0 31 2 ? *)", "min_instances": 1, "max_instances": 1}]}},
            "bigmart.endpoint.scaling.schedules.0.at: found 'cron(0 0 31 2 ? *)': there is no such day",
        ),
        (
            {"scaling": {"schedules": [{"at": "at(2026-01-31T08:00:00)", "min_instances": 1, "max_instances": 1}]}},
            "at: found 'at(2026-01-31T08:00:00)', which is past in UTC; remove it, or set a later time",
        ),
        (
            {"scaling": {"schedules": [{"at": "rate(1 day)", "min_instances": 1, "max_instances": 1}] * 2}},
            "schedules.1.at: found 'rate(1 day)' in UTC, as in schedules.0",
        ),
        (
            {"scaling": {"schedules": [{"at": "rate(1 day)", "min_instances": 2, "max_instances": 1}]}},
            "min_instances: found 2, which is above max_instances 1",
        ),
        (
            {
                "scaling": {
                    "schedules": [
                        {"at": "rate(1 day)", "min_instances": 1, "max_instances": 1, "timezone": "Mars/Olympus"}
                    ]
                }
            },
            "not a time zone of the IANA database",
        ),
        ({"scaling": {"invocations_per_minute": 0}}, "allowed: whole number, 1 to 1000000"),
    ],
)
def test_refuses_bounds_that_an_endpoint_cannot_keep(endpoint: dict[str, Any], reason: str) -> None:
    assert reason in refusal("bigmart.endpoint", endpoint)
