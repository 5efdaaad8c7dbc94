"""What docs/settings.md says of changing a setting is what the templates before and after the change show."""

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

import pytest

from headrace.changes import Assembly, make_plan
from headrace.changes.assemblies import Name, list_resources
from headrace.changes.world import World
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from stacks.settings.section import NEXT_EXECUTION, NO_EFFECT
from stacks.settings.table import Row, list_settings
from tests.stacks.conftest import SWITCHES, context_of, set_path
from tests.stacks.synthesis import read_synthesized
from tests.tables import mark_full

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = {".".join(row.path): row for row in list_settings() if row.path != ("environment",)}
FORESTS = {"metric": "validation:rmse", "direction": "at_most", "threshold": "baseline:rmse"}
CLASSIFIERS = {"metric": "validation:accuracy", "direction": "at_least", "threshold": "baseline:accuracy"}
# An update that something can be changed of.
GUARDED: Mapping[str, Any] = {
    "instance_count": 10,
    "metrics_seconds": 10,
    "update": {
        "traffic": "canary",
        "canary_percent": 40,
        "wait_seconds": 120,
        "alarms": {"error_percent": 2.0, "latency_milliseconds": 250},
    },
    "golden": {},
    "keep_versions": 5,
}
# Whatever a setting can be about is there.
EVERYTHING: Mapping[str, Any] = {
    **SWITCHES["key"],
    **SWITCHES["alarms"],
    **SWITCHES["efs"],
    **SWITCHES["fsx"],
    **SWITCHES["private-notebook"],
    "notebook.direct_internet": True,
    "normalizer.consumers": [{"name": "training", "options": {}}, {"name": "labelling", "options": {}}],
    "bigmart.gate.rules": [{**FORESTS, "margin": 0.1}],
    "images.gate.rules": [{**CLASSIFIERS, "margin": 0.1}],
    **{f"{workload}.endpoint.{key}": value for workload in ("bigmart", "images") for key, value in GUARDED.items()},
    **SWITCHES["spot"],
}
NETWORK: Mapping[str, Any] = SWITCHES["existing-network"]["network.existing"]
IN_EXISTING_NETWORK: Mapping[str, Any] = {"network.existing": NETWORK, "network.interface_endpoints": []}
TRAINED = {"name": "train_lst", "source": "s3", "path": "images/lists/train/"}
# What else must be so, before and after, for a change of a setting to be possible or to matter.
GIVEN: Mapping[str, Mapping[str, Any]] = {
    **{setting: IN_EXISTING_NETWORK for setting in SETTINGS if setting.startswith("network.existing.")},
    "region": {"region": "eu-west-1"},
    **{
        f"{workload}.endpoint.update.{key}": {f"{workload}.endpoint.update.{other}": value}
        for workload in ("bigmart", "images")
        for key, other, value in (("step_percent", "traffic", "linear"), ("alarms", "traffic", "all_at_once"))
    },
    **{
        setting: {
            **{f"{workload}.endpoint.{key}": ... for key in GUARDED},
            **({} if setting.endswith(".deploy") else {f"{workload}.deploy": "batch"}),
        }
        for workload in ("bigmart", "images")
        for setting in SETTINGS
        if setting == f"{workload}.deploy" or setting.startswith(f"{workload}.transform.")
    },
    **{
        setting: {
            "encryption.customer_key": False,
            **{f"{workload}.endpoint.{key}": ... for key in GUARDED},
            f"{workload}.endpoint.serverless": {"max_concurrency": 10, "provisioned_concurrency": 1},
        }
        for workload in ("bigmart", "images")
        for setting in SETTINGS
        if setting.startswith(f"{workload}.endpoint.serverless")
    },
    **{
        setting: {
            **{f"{workload}.endpoint.{key}": ... for key in GUARDED},
            f"{workload}.endpoint.scaling": {
                "max_instances": 3,
                "schedules": [{"at": "rate(1 day)", "min_instances": 1, "max_instances": 3}],
            },
        }
        for workload in ("bigmart", "images")
        for setting in SETTINGS
        if setting.startswith(f"{workload}.endpoint.scaling")
    },
    "network.existing": {"network.interface_endpoints": []},
    "encryption.existing_key": {"encryption.customer_key": False},
    "people.enabled": {"people.enabled": True},
    "people.mfa": {"people.enabled": True},
    "people.separate_approval": {"people.enabled": True, "people.separate_approval": True},
    "normalizer.function_url": {
        "normalizer.object_lambda": True,
        "images.training.normalized.through": "object_lambda",
    },
    "normalizer.object_lambda": {"normalizer.object_lambda": True},
    "normalizer.consumers[].object_lambda_name": {"normalizer.object_lambda": True},
    "images.training.normalized.through": {"normalizer.object_lambda": True},
    "normalizer.consumers[].options": {"normalizer.object_lambda": True},
    # Through the function URL, all consumers have the same door.
    "images.training.normalized.consumer": {
        "normalizer.object_lambda": True,
        "images.training.normalized.through": "object_lambda",
    },
    "images.training.channels[].access": {
        "images.training.channels": [{"name": "train_lst", "source": "efs", "path": "/lists"}],
        "images.training.normalized": ...,
    },
}
# Another value, where none follows from the type.
OTHERS: Mapping[str, Any] = {
    "region": "eu-central-1",
    "tags": {"project": "other"},
    "alarms": ...,
    "alarms.email": "others@example.com",
    "permissions_boundary": "TeamBoundary",
    **{setting: SWITCHES["existing"][setting] for setting in SETTINGS if ".existing_" in setting},
    "registry.existing": SWITCHES["existing"]["registry.existing"],
    "bigmart.training.hyperparameters": {"n_estimators": 5},
    **{f"{workload}.endpoint.serverless": ... for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.serverless.memory_mb": 4096 for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.serverless.provisioned_concurrency": 2 for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.scaling": ... for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.scaling.schedules": [] for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.scaling.schedules[].at": "rate(2 days)" for workload in ("bigmart", "images")},
    **{f"{workload}.endpoint.scaling.schedules[].timezone": "Asia/Tokyo" for workload in ("bigmart", "images")},
    **{f"{workload}.start.schedule": "rate(7 days)" for workload in ("bigmart", "images")},
    "bigmart.endpoint.name": "shop",
    "bigmart.endpoint.update.alarms": ...,
    "bigmart.endpoint.golden": ...,
    "bigmart.endpoint.golden.requests": "other.jsonl",
    **{f"{workload}.transform.input": "other/" for workload in ("bigmart", "images")},
    "bigmart.gate.rules": [],
    "bigmart.gate.rules[].metric": "train:rmse",
    "bigmart.gate.rules[].threshold": 1000,
    "images.gate.rules": [],
    "images.gate.rules[].metric": "validation:f1",
    "images.gate.rules[].threshold": 0.9,
    "images.training.hyperparameters": {"alpha": 1},
    "images.training.channels": [TRAINED],
    "images.training.channels[].name": "other_lst",
    "images.training.channels[].path": "images/lists/other/",
    "images.training.normalized": ...,
    "images.training.normalized.consumer": "labelling",
    "images.training.normalized.prefix": "images/other/",
    "images.training.normalized.options": {"width": "64", "colour": "rgb"},
    **{f"{workload}.training.spot": ... for workload in ("bigmart", "images")},
    **{f"{workload}.training.spot.checkpoint_days": 30 for workload in ("bigmart", "images")},
    "images.endpoint.name": "shop",
    "images.endpoint.update.alarms": ...,
    "images.endpoint.golden": ...,
    "images.endpoint.golden.requests": "other.jsonl",
    "network.cidr": "10.50.0.0/16",
    "network.interface_endpoints": ["sagemaker.api", "logs"],
    "network.existing": NETWORK,
    "network.existing.vpc_id": "vpc-0123456789abcdef1",
    "network.existing.cidr": "10.1.0.0/16",
    "network.existing.availability_zones": ["eu-west-1b", "eu-west-1c"],
    "network.existing.subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "network.existing.route_table_ids": ["rtb-0123456789abcdef2", "rtb-0123456789abcdef3"],
    "file_systems.efs.client_groups": ["sg-0123456789abcdef0"],
    "file_systems.fsx.capacity_gib": 2400,
    "file_systems.fsx.throughput_mb_per_tib": 250,
    "file_systems.fsx.import_events": ["NEW"],
    "file_systems.fsx.export_events": ["NEW"],
    "notebook.repository_url": "https://github.com/example/other.git",
    "notebook.repository_secret_arn": ...,
    "normalizer.bulk": ...,
    "normalizer.consumers": [{"name": "training", "options": {}}],
    "normalizer.consumers[].name": "search",
    "normalizer.consumers[].object_lambda_name": "pictures",
    "normalizer.consumers[].options": {"width": "64"},
    "normalizer.reserved_concurrency": 5,
}
# What goes and comes with something else, and holds nothing.
MINOR = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::FlowLog",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::EIP",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCCidrBlock",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EFS::AccessPoint",
        "AWS::EFS::MountTarget",
        "AWS::FSx::DataRepositoryAssociation",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::SNS::TopicPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SageMaker::NotebookInstanceLifecycleConfig",
    }
)
# A state machine, and the functions that its tasks invoke.
PIPELINE = frozenset(
    {"AWS::StepFunctions::StateMachine", "AWS::Lambda::Function", "AWS::IAM::Policy", "AWS::IAM::Role"}
)


def configure(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The context of dev with everything in it, and the changes."""
    context = copy.deepcopy(context_of("dev"))
    for path, value in {**EVERYTHING, **changes}.items():
        section, _, key = path.partition("[].")
        environment = context["environments"]["dev"]
        if key:
            *parents, name = section.split(".")
            for parent in parents:
                environment = environment[parent]
            environment[name][-1][key] = value
        else:
            set_path(environment, path, copy.deepcopy(value))
    return context


@cache
def synthesize_given(setting: str) -> Assembly:
    """The templates before a change of a setting: shared by most."""
    return read_synthesized(configure(GIVEN.get(setting, {})) if setting else configure({}))


def choose_other(setting: str) -> Any:
    """A value of a setting that it does not have, and that the settings take."""
    if setting in OTHERS:
        return OTHERS[setting]
    settings = Settings.from_mapping("dev", configure(GIVEN.get(setting, {}))["environments"])
    value: Any = settings
    for part in setting.split("."):
        value = getattr(value, part.removesuffix("[]"))
        value = value[-1] if part.endswith("[]") else value
    for candidate in list_candidates(value, SETTINGS[setting]):
        changes = {**GIVEN.get(setting, {}), setting: candidate}
        try:
            Settings.from_mapping("dev", configure(changes)["environments"])
        except SettingsError:
            continue
        return candidate
    raise LookupError(f"{setting}: add another value to OTHERS")


def list_candidates(value: Any, row: Row) -> Iterator[Any]:
    """Values that may be allowed instead of one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 60, 90)
    elif isinstance(value, float):
        yield value / 2
    elif isinstance(value, str):
        yield from (other for other in get_args(row.field.annotation) if other != value)
        yield "ml.m5.2xlarge"


def find_lost(before: Assembly, after: Assembly) -> set[Name]:
    """What CloudFormation replaces or removes, even where it refuses at last."""
    world = World.of(before).copy(is_lenient=True)
    made = dict(world.made)
    world.learn(after)
    for stack in after.deploy_order():
        world.deploy(stack, after.templates[stack])
    return {
        name for name, thing in made.items() if name not in world.made or world.made[name].identity != thing.identity
    }


def list_kinds(before: Assembly, after: Assembly) -> set[str]:
    """The kinds of the resources that are not the same before and after."""
    names = {
        (stack, name)
        for assembly in (before, after)
        for stack, template in assembly.templates.items()
        for name in list_resources(template)
    }
    return {
        (before.resource(name) or after.resource(name))["Type"]
        for name in names
        if before.resource(name) != after.resource(name)
    }


# One setting for each thing that a change can do.
ONE_OF_EACH = {row.facts.change: setting for setting, row in SETTINGS.items()}.values()


@pytest.mark.parametrize("setting", mark_full("settings", SETTINGS, but=ONE_OF_EACH))
def test_says_what_changing_a_setting_does(setting: str) -> None:
    said = SETTINGS[setting].facts.change
    before = synthesize_given(setting if setting in GIVEN else "")
    after = read_synthesized(configure({**GIVEN.get(setting, {}), setting: choose_other(setting)}))

    lost = find_lost(before, after)

    assert (before.templates == after.templates) == (said is NO_EFFECT)
    assert {before.resource(name)["Type"] for name in lost} - MINOR == set(said.loses)
    assert make_plan(before, after).fails == bool(said.move)
    if said is NEXT_EXECUTION:
        assert list_kinds(before, after) <= PIPELINE
