"""Policies may name the tags of state machines."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from ministack.services import stepfunctions, tagging

from headrace.local.engine.ministack.access import list_machine_tags
from tests.local_clouds import allow, assume, make_role, running_with_object

ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:train"


def test_finds_the_tags_of_a_state_machine_as_conditions_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tagging._RESOURCE_TAG_COLLECTORS, "states", list_machine_tags)
    monkeypatch.setattr(stepfunctions, "_tags", {ARN: [{"key": "environment", "value": "dev"}]})

    assert tagging.resource_tags(ARN) == {"environment": "dev"}
    assert tagging.resource_tags(f"{ARN}-2") is None


@pytest.mark.slow
def test_lets_a_role_start_the_machines_that_have_a_tag_and_no_others(tmp_path: Path) -> None:
    definition = json.dumps({"StartAt": "Do", "States": {"Do": {"Type": "Pass", "End": True}}})
    own = {"aws:ResourceTag/environment": "dev"}
    with running_with_object(tmp_path / "cloud", "a", b""):
        states: Any = boto3.client("stepfunctions")
        runner = make_role("machine", trusted="states.amazonaws.com")
        dev, prod = (
            states.create_state_machine(
                name=name, roleArn=runner, definition=definition, tags=[{"key": "environment", "value": name}]
            )["stateMachineArn"]
            for name in ("dev", "prod")
        )
        starter = assume(make_role("starter", allow("states:StartExecution", StringEquals=own))).client("stepfunctions")

        assert starter.start_execution(stateMachineArn=dev)["executionArn"]
        with pytest.raises(ClientError, match="AccessDenied"):
            starter.start_execution(stateMachineArn=prod)
