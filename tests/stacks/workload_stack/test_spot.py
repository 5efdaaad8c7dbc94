import copy
import json
from typing import Any

import pytest

from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import context_of, find_resources, read_definition, set_path, template_of

STACKS = ("bigmart", "images")


def read_train(stack: str, variant: str) -> dict[str, Any]:
    name = {"bigmart": "BigMart", "images": "Images"}[stack]
    state: dict[str, Any] = read_definition(template_of(name, variant).to_json())["States"]["Train"]
    return state


@pytest.mark.parametrize("stack", STACKS)
def test_trains_on_spot_instances_from_checkpoints_of_the_execution(stack: str) -> None:
    state = read_train(stack, "spot")
    arguments = state["Arguments"]

    assert arguments["EnableManagedSpotTraining"] is True
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert arguments["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    # Nothing of the attempt is in it, which has another name each time.
    assert arguments["CheckpointConfig"]["S3Uri"].endswith(f"/checkpoints/{stack.lower()}/' & $execution & '/' %}}")
    assert arguments["Environment"]["HEADRACE_CHECKPOINT_SECONDS"] == "300"
    assert state["TimeoutSeconds"] > 7200


@pytest.mark.parametrize("stack", STACKS)
def test_trains_on_other_instances_unless_it_is_told(stack: str) -> None:
    arguments = read_train(stack, "dev")["Arguments"]

    assert not {"EnableManagedSpotTraining", "CheckpointConfig"} & set(arguments)
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def list_checkpoint_rules(variant: str) -> list[dict[str, Any]]:
    buckets = find_resources(variant, "AWS::S3::Bucket").values()
    rules = [
        rule for bucket in buckets for rule in bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    ]
    return [rule for rule in rules if rule.get("Prefix") == "checkpoints/"]


def test_checkpoints_expire() -> None:
    # Those of before, too, where nothing trains on spot instances any more.
    for variant in ("spot", "dev"):
        assert list_checkpoint_rules(variant) == [
            {"ExpirationInDays": 7, "Prefix": "checkpoints/", "Status": "Enabled"}
        ]


def test_only_training_jobs_reach_checkpoints() -> None:
    def list_policies(variant: str) -> list[str]:
        found = find_resources(variant, "AWS::IAM::Policy").items()
        return [name for name, policy in found if "/checkpoints/" in json.dumps(policy)]

    assert len(list_policies("spot")) == len(STACKS)
    assert all("TrainingJobs" in name or "TrainingRole" in name for name in list_policies("spot")), list_policies(
        "spot"
    )
    assert list_policies("dev") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training.spot": {"max_wait_seconds": 3599}}, "found 3599, less than max_runtime_seconds, 3600"),
        (
            {"training.max_runtime_seconds": 60, "training.spot": {"checkpoint_seconds": 60}},
            "found 60, but the job is stopped after max_runtime_seconds, 60",
        ),
        (
            {"training.spot": {"max_wait_seconds": 21601}},
            "found 21601, but an execution is ended after pipeline.timeout_hours, 6",
        ),
    ],
)
def test_refuses_waits_that_contradict_other_limits(changes: dict[str, Any], said: str) -> None:
    environments = copy.deepcopy(context_of("dev")["environments"])
    for path, value in changes.items():
        set_path(environments["dev"], f"bigmart.{path}", value)

    with pytest.raises(SettingsError, match=said):
        Settings.from_mapping("dev", environments)
