"""What the settings of the API in front of endpoints refuse."""

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import SWITCHES, read_context

IAM: Mapping[str, Any] = {"workloads": ["bigmart", "images"]}
POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12Cd34E"
FULL: Mapping[str, Any] = SWITCHES["front-door"]["front_door"]


def read_settings(changes: Mapping[str, Any]) -> Settings:
    environments = read_context()["environments"]
    return Settings.from_mapping("dev", {**environments, "dev": {**environments["dev"], **changes}})


def test_leads_to_no_endpoint_unless_it_is_named() -> None:
    with pytest.raises(SettingsError, match=r"front_door\.workloads"):
        read_settings({"front_door": {}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"front_door": {"workloads": ["sales"]}}, r"front_door\.workloads: .*'sales' is not a workload; there are"),
        (
            {"front_door": {**IAM, "authorization": "none"}},
            r"front_door\.authorization: found 'none', allowed: .*iam.*cognito",
        ),
        ({"front_door": {**IAM, "user_pool": POOL}}, r"front_door: user_pool: authorization is iam"),
        (
            {"front_door": {**IAM, "authorization": "cognito", "user_pool": "eu-west-1_Ab12Cd34E"}},
            r"front_door\.user_pool: .*not the ARN of a user pool",
        ),
        (
            {"region": "eu-central-1", "front_door": {**IAM, "authorization": "cognito", "user_pool": POOL}},
            r"front_door\.user_pool: it is in eu-west-1; name one in eu-central-1",
        ),
        (
            {"front_door": {**IAM, "web_acl": False, "largest_body_kb": 16}},
            r"front_door: largest_body_kb: the web ACL measures bodies",
        ),
        (
            {"front_door": {**FULL, "authorization": "iam"}},
            r"front_door: cloudfront: a signature covers the name that the client called",
        ),
        (
            {"front_door": {**FULL, "web_acl": False, "largest_body_kb": None}},
            r"front_door: cloudfront: the web ACL refuses what does not come through it",
        ),
        (
            {"front_door": IAM, "images": {"deploy": "batch"}},
            r"front_door\.workloads: images\.deploy is batch, which makes no endpoint",
        ),
        ({"alarms": {"front_door": {}}}, r"alarms\.front_door: none of the alarms is on"),
    ],
)
def test_refuses_what_cannot_be(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(changes)
