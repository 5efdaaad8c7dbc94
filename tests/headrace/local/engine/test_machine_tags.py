"""Policies may name the tags of state machines."""

import pytest
from ministack.services import stepfunctions, tagging

from headrace.local.engine.ministack.access import list_machine_tags

ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:train"


def test_finds_the_tags_of_a_state_machine_as_conditions_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tagging._RESOURCE_TAG_COLLECTORS, "states", list_machine_tags)
    monkeypatch.setattr(stepfunctions, "_tags", {ARN: [{"key": "environment", "value": "dev"}]})

    assert tagging.resource_tags(ARN) == {"environment": "dev"}
    assert tagging.resource_tags(f"{ARN}-2") is None
