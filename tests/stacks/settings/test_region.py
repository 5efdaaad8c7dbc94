"""A Region that lacks something refuses it at synth, and says what to set instead."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest

from app import build
from headrace import contract, regions
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import VARIANTS, context_of, read_stacks, set_path
from tests.stacks.synthesis import open_app


def read_in(region: str, variant: str = "dev", changes: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a variant in a Region."""
    context = context_of(variant)
    for path, value in {"region": region, **(changes or {})}.items():
        set_path(context["environments"][context["env"]], path, value)
    return Settings.from_mapping(context["env"], context["environments"])


def refuse(region: str, variant: str = "dev", changes: Mapping[str, Any] | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        read_in(region, variant, changes)
    return str(refused.value)


def test_takes_a_region_that_has_everything() -> None:
    for variant in ("dev", "prod", "notebook", "object-lambda"):
        assert read_in("eu-central-1", variant).region == "eu-central-1"


def test_refuses_a_region_that_does_not_exist() -> None:
    assert "region: found 'eu-wst-1': not a known Region; known are af-south-1," in refuse("eu-wst-1")


@pytest.mark.parametrize(
    ("region", "variant", "reason"),
    [
        (
            "eu-central-2",
            "dev",
            "environments.dev: normalizer.function_url: eu-central-2 has no Lambda function URLs; set it to false, and "
            "images.training.normalized to null",
        ),
        ("me-central-1", "notebook", "notebook.enabled: me-central-1 has no SageMaker notebook instances"),
        ("ap-southeast-6", "fsx", "file_systems.fsx.enabled: ap-southeast-6 has no FSx"),
        ("mx-central-1", "alarms", "alarms.budget: CloudFormation makes no budgets in mx-central-1; set it to null"),
        ("eu-central-1", "existing", "encryption.existing_key: the key is in eu-west-1; name one in eu-central-1"),
        ("eu-central-1", "existing", "registry.existing: the registry is in eu-west-1, and SageMaker takes container"),
        (
            "cn-north-1",
            "front-door",
            "front_door.authorization: cn-north-1 has no user pools of Cognito; set it to iam",
        ),
        ("us-gov-west-1", "front-door", "front_door.cloudfront: us-gov-west-1 has no CloudFront; set it to null"),
        ("cn-north-1", "fsx", "file_systems.fsx.deployment: cn-north-1 has neither PERSISTENT_2 nor SCRATCH_2"),
    ],
)
def test_says_what_to_set_instead(region: str, variant: str, reason: str) -> None:
    assert reason in refuse(region, variant)


@pytest.mark.parametrize("region", ["ap-southeast-6", "cn-north-1", "us-gov-east-1"])
def test_refuses_a_region_without_a_model_registry(region: str) -> None:
    assert f"region: {region} has no model package groups of SageMaker in CloudFormation" in refuse(
        region, changes={"normalizer.function_url": False, "images.training.normalized": ...}
    )


def test_refuses_an_instance_type_where_it_is_not_offered() -> None:
    changes = {"bigmart.training.instance_type": "ml.g5.2xlarge"}

    assert refuse("af-south-1", changes=changes) == (
        "environments.dev: bigmart.training.instance_type: ml.g5.2xlarge is not offered in af-south-1; "
        "choose a type of another family"
    )


def test_refuses_the_zone_of_another_region() -> None:
    changes = {"network.availability_zones": ["eu-west-1a", "eu-west-1b"]}

    assert "network.availability_zones: eu-west-1a is not a zone of eu-central-1" in refuse(
        "eu-central-1", changes=changes
    )


@cache
def list_kinds(variant: str) -> frozenset[str]:
    templates = [made["template"] for made in read_stacks(variant).values()]
    return frozenset(resource["Type"] for template in templates for resource in template["Resources"].values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_refuses_every_type_that_a_region_lacks(variant: str) -> None:
    """What CloudFormation would refuse in the middle of a deployment."""
    for region in regions.list_regions():
        try:
            read_in(region, variant)
        except SettingsError:
            continue
        assert not list_kinds(variant).intersection(regions.list_lacked_types(region)), region


def test_takes_what_it_says_instead_of_a_function_url() -> None:
    channels = [
        {"name": "train", "source": "sets", "path": "cats/"},
        {"name": "validation", "source": "sets", "path": "cats/"},
        {"name": "train_lst", "source": "s3", "path": "images/lists/train/"},
        {"name": "validation_lst", "source": "s3", "path": "images/lists/validation/"},
    ]
    changes = {
        "normalizer.function_url": False,
        "images.training.normalized": ...,
        "images.training.channels": channels,
    }

    assert read_in("eu-central-2", changes=changes).normalizer.bulk


@pytest.mark.parametrize(("target", "region"), [("graviton", "eu-central-1"), ("host", "aws://unknown-account")])
def test_deploys_to_the_region_on_aws_and_to_the_local_clouds_own_on_the_local_cloud(target: str, region: str) -> None:
    context = context_of("dev") | {contract.BUNDLE_TARGET_CONTEXT: target}
    set_path(context["environments"]["dev"], "region", "eu-central-1")

    stacks = [stack for stack in build(open_app(context)).node.children if isinstance(stack, cdk.Stack)]

    assert {cdk.Token.is_unresolved(stack.region) for stack in stacks} == {target == "host"}
    assert all(region in stack.environment for stack in stacks)
