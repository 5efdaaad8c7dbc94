"""What a plan says of small templates, one for each thing that can happen to a living environment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from headrace.assemblies import Assembly
from headrace.changes import Effect, make_plan
from headrace.changes.planning import Verb, follow
from headrace.changes.world import World

BUCKET = {"Type": "AWS::S3::Bucket"}
GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "any"}}
POLICY = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {}}
MACHINE = {"Type": "AWS::StepFunctions::StateMachine"}
FILE_SYSTEM = {
    "Type": "AWS::FSx::FileSystem",
    "DeletionPolicy": "Retain",
    "UpdateReplacePolicy": "Retain",
    "Properties": {"StorageCapacity": 1200, "LustreConfiguration": {"DeploymentType": "PERSISTENT_2"}},
}
LOGS = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "Properties": {"LogGroupName": "/logs"}}
READ = {"Fn::GetStackOutput": {"StackName": "app-Producer", "Region": {"Ref": "AWS::Region"}, "OutputName": "It"}}
IMPORT = {"Fn::ImportValue": "it"}
PUBLISHED = {"It": {"Value": {"Ref": "It"}}}
EXPORTED = {"It": {"Value": {"Ref": "It"}, "Export": {"Name": "it"}}}
ROLE = "AWS::IAM::Role"
TARGET = "AWS::EFS::MountTarget"


def stack(outputs: Mapping[str, Any] | None = None, **resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"Resources": resources, "Outputs": outputs or {}}


def assemble(**templates: Mapping[str, Any]) -> Assembly:
    return Assembly({name: f"app-{name}" for name in templates}, templates)


def user(value: Any, kind: str = MACHINE["Type"], name: str = "Names") -> dict[str, Any]:
    """A resource that names another stack's."""
    return {"Type": kind, "Properties": {name: value}}


def effects(old: Assembly, new: Assembly) -> list[tuple[Effect, str]]:
    return [(finding.effect, finding.stack) for finding in make_plan(old, new).findings]


def test_says_nothing_of_what_is_added_or_changes_in_place() -> None:
    old = assemble(Storage=stack(Raw=BUCKET))
    new = assemble(Storage=stack(Raw={**BUCKET, "Properties": {"Tags": []}}, Work=BUCKET))

    plan = make_plan(old, new)

    assert (plan.findings, plan.is_dangerous, plan.list_commands()) == ((), False, ["cdk deploy --all"])


def test_says_what_is_deleted_with_its_data_and_must_be_empty() -> None:
    old, new = assemble(Storage=stack(Raw=BUCKET, Work=BUCKET)), assemble(Storage=stack(Raw=BUCKET))

    assert effects(old, new) == [(Effect.NOT_EMPTY, "Storage"), (Effect.DELETED, "Storage")]


def test_says_which_property_replaces_what_and_what_stays_behind_at_which_cost() -> None:
    scratch = {**FILE_SYSTEM, "Properties": {"StorageCapacity": 1200, "LustreConfiguration": {}}}
    old, new = assemble(Files=stack(Fsx=FILE_SYSTEM)), assemble(Files=stack(Fsx=scratch))

    (finding,) = make_plan(old, new).findings

    assert str(finding) == (
        "Files/Fsx (AWS::FSx::FileSystem): stays behind without a stack, at about 174 USD a month; "
        'LustreConfiguration.DeploymentType was "PERSISTENT_2", is null'
    )
    assert finding.monthly == pytest.approx(174)


def test_refuses_to_replace_what_another_stack_imports() -> None:
    renamed = {**GROUP, "Properties": {"GroupDescription": "another"}}
    consumer = stack(Machine=user(IMPORT))
    old = assemble(Producer=stack(EXPORTED, It=GROUP), Consumer=consumer)

    plan = make_plan(old, assemble(Producer=stack(EXPORTED, It=renamed), Consumer=consumer))

    assert [str(finding) for finding in plan.findings] == [
        "Producer: Export it cannot be updated as it is in use by Consumer"
    ]
    assert plan.fails


def test_refuses_to_remove_an_export_when_the_consumer_waits_for_another_of_the_same_stack() -> None:
    exported = {"Other": {"Value": {"Ref": "Other"}, "Export": {"Name": "other"}}}
    old = assemble(Producer=stack(EXPORTED, It=BUCKET), Consumer=stack(Machine=user(IMPORT)))
    new = assemble(Producer=stack(exported, Other=BUCKET), Consumer=stack(Machine=user({"Fn::ImportValue": "other"})))

    assert [str(finding) for finding in make_plan(old, new).findings] == [
        "Producer: Export it cannot be deleted as it is in use by Consumer"
    ]


def test_lets_a_consumer_go_first_where_that_unlocks_an_export() -> None:
    old = assemble(Producer=stack(EXPORTED, It=BUCKET), Consumer=stack(Machine=user(IMPORT)))
    new = assemble(Producer=stack(It=BUCKET), Consumer=stack(Machine=user("nothing")))

    plan = make_plan(old, new)

    assert plan.list_commands("dev") == [
        "cdk deploy --exclusively Consumer --context env=dev",
        "cdk deploy --all --context env=dev",
    ]
    assert not plan.is_dangerous


def test_lets_a_consumer_go_first_so_that_nothing_names_what_is_gone() -> None:
    old = assemble(Producer=stack(PUBLISHED, It=MACHINE, Rest=MACHINE), Consumer=stack(Machine=user(READ)))
    new = assemble(Producer=stack(Rest=MACHINE), Consumer=stack(Machine=user("nothing")))

    plan = make_plan(old, new)

    assert [step.verb for step in plan.steps] == [Verb.DEPLOY_FIRST, Verb.DEPLOY_ALL]
    assert [finding.effect for finding in plan.findings] == [Effect.DELETED]


def test_deletes_a_consumer_first_that_is_switched_off_and_holds_what_goes() -> None:
    point = {"Type": "AWS::S3::AccessPoint", "Properties": {"Bucket": READ}}
    old = assemble(Producer=stack(PUBLISHED, It=BUCKET, Rest=BUCKET), Consumer=stack(Point=point))
    old = replace(old, protected=frozenset({"Consumer"}))
    new = assemble(Producer=stack(Rest=BUCKET), Consumer=stack())

    plan = make_plan(old, new)

    assert plan.list_commands() == [
        "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name app-Consumer",
        "aws cloudformation delete-stack --stack-name app-Consumer",
        "aws cloudformation wait stack-delete-complete --stack-name app-Consumer",
        "cdk deploy --all",
    ]
    assert not plan.fails


def test_lets_a_consumer_go_first_with_what_else_it_is_to_use() -> None:
    """The producer cannot go along, because it is what the consumer must let go of before."""
    key = {"Fn::GetStackOutput": {**READ["Fn::GetStackOutput"], "StackName": "app-Key"}}
    rest = {"Fn::GetStackOutput": {**READ["Fn::GetStackOutput"], "OutputName": "Rest"}}
    outputs = {"Rest": {"Value": {"Ref": "Rest"}}}
    reader = user(rest)
    old = assemble(
        Producer=stack({**PUBLISHED, **outputs}, It=GROUP, Rest=BUCKET),
        Consumer=stack(Holder=user(READ, TARGET, "SecurityGroups"), Reader=reader),
    )
    new = assemble(
        Key=stack(PUBLISHED, It=GROUP),
        Producer=stack(outputs, Rest=BUCKET),
        Consumer=stack(Holder=user(key, TARGET, "SecurityGroups"), Reader=reader),
    )

    plan = make_plan(old, new)

    assert plan.list_commands()[0] == "cdk deploy --exclusively Key Consumer"
    assert not plan.fails


@pytest.mark.parametrize(
    ("held", "holder", "name"), [(POLICY, ROLE, "ManagedPolicyArns"), (GROUP, TARGET, "SecurityGroups")]
)
def test_finds_what_cannot_be_deleted_while_another_stack_has_it(
    held: Mapping[str, Any], holder: str, name: str
) -> None:
    """Here the consumer cannot go first: what it is to use comes with what it must give up."""
    old = assemble(Producer=stack(PUBLISHED, It=held), Consumer=stack(Holder=user(READ, holder, name)))
    other = {"It": {"Value": {"Ref": "Other"}}}
    new = assemble(Producer=stack(other, Other=held), Consumer=stack(Holder=user(READ, holder, name), New=BUCKET))

    assert (Effect.STUCK, "Producer") in effects(old, new)


def test_finds_who_goes_on_naming_what_was_replaced() -> None:
    old = assemble(Producer=stack(PUBLISHED, It=GROUP), Consumer=stack(Machine=user(READ)))
    renamed = {**GROUP, "Properties": {"GroupDescription": "another"}}
    new = assemble(Producer=stack(PUBLISHED, It=renamed), Consumer=stack(Machine=user(READ)))

    plan = make_plan(old, new)

    assert plan.list_commands() == ["cdk deploy --all", "cdk deploy --exclusively --force Consumer"]
    assert {finding.effect for finding in plan.findings} == {Effect.REPLACED, Effect.INTERRUPTED}


def test_lets_what_a_dashboard_shows_go_before_the_dashboard() -> None:
    shown = user(READ, "AWS::CloudWatch::Dashboard", "DashboardBody")
    old = assemble(Producer=stack(PUBLISHED, It=GROUP, Raw=BUCKET), Consumer=stack(Page=shown))
    new = assemble(Producer=stack(Raw=BUCKET), Consumer=stack())

    plan = make_plan(old, new)

    assert (plan.findings, plan.list_commands()) == ((), ["cdk deploy --all"])


def test_says_which_stack_is_left_over_at_which_cost_and_how_to_delete_it() -> None:
    old, new = assemble(Files=stack(Fsx=FILE_SYSTEM), Rest=stack(Raw=BUCKET)), assemble(Rest=stack(Raw=BUCKET))

    plan = make_plan(old, new)

    assert "is not in the app any more; `cdk deploy --all` leaves it where it is, at about 174 USD a month" in str(
        plan.findings[0]
    )
    assert plan.list_commands()[1:] == [
        "aws cloudformation delete-stack --stack-name app-Files",
        "aws cloudformation wait stack-delete-complete --stack-name app-Files",
    ]


def test_lifts_the_protection_of_what_is_to_be_deleted() -> None:
    old = Assembly({"Files": "app-Files"}, {"Files": stack(Any=MACHINE)}, protected=frozenset({"Files"}))

    first, *_ = make_plan(old, assemble(Files={"Resources": {}})).list_commands()

    assert first.startswith("aws cloudformation update-termination-protection --no-enable-termination-protection")


def test_names_the_region_of_the_settings_to_the_aws_cli_which_does_not_know_them() -> None:
    templates = {"Files": stack(Any=MACHINE)}
    old = Assembly({"Files": "app-Files"}, templates, protected=frozenset(templates), region="eu-central-1")
    new = Assembly({"Rest": "app-Rest"}, {"Rest": stack(Raw=BUCKET)}, region="eu-central-1")

    commands = [command for command in make_plan(old, new).list_commands() if command.startswith("aws ")]

    assert len(commands) == 3
    assert all(command.endswith(" --stack-name app-Files --region eu-central-1") for command in commands)


def test_finds_a_name_that_an_earlier_deployment_left_behind() -> None:
    on, off = assemble(Logs=stack(Log=LOGS, Rest=BUCKET)), assemble(Logs=stack(Rest=BUCKET))
    world = World.of(on)
    world = follow(world, make_plan(on, off, world=world), off)

    plan = make_plan(off, on, world=world)

    assert [finding.effect for finding in plan.findings] == [Effect.NAME_TAKEN]
    assert plan.fails


def test_finds_no_name_left_behind_that_is_made_of_what_goes_along() -> None:
    named = {**LOGS, "Properties": {"LogGroupName": {"Fn::Join": ["-", ["logs", {"Fn::GetAtt": ["Role", "RoleId"]}]]}}}
    on, off = assemble(Logs=stack(Log=named, Role={"Type": ROLE}, Rest=BUCKET)), assemble(Logs=stack(Rest=BUCKET))
    world = World.of(on)
    world = follow(world, make_plan(on, off, world=world), off)

    plan = make_plan(off, on, world=world)

    assert plan.findings == ()


def test_refuses_to_replace_what_has_a_fixed_name() -> None:
    named = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "mine"}}
    group = {**GROUP, "Properties": {"GroupName": "mine", "GroupDescription": "any"}}
    other = {**GROUP, "Properties": {"GroupName": "mine", "GroupDescription": "another"}}

    assert effects(assemble(Any=stack(It=named)), assemble(Any=stack(It=group))) == [(Effect.REFUSED, "Any")]
    assert effects(assemble(Any=stack(It=group)), assemble(Any=stack(It=other))) == [(Effect.REFUSED, "Any")]


def test_refuses_subnets_whose_addresses_are_taken_until_the_old_ones_go() -> None:
    def subnet(block: str) -> dict[str, Any]:
        return {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": "vpc-1", "CidrBlock": block}}

    old = assemble(Network=stack(One=subnet("10.0.0.0/17")))

    assert (Effect.REFUSED, "Network") in effects(old, assemble(Network=stack(One=subnet("10.0.0.0/18"))))
    assert (Effect.REFUSED, "Network") not in effects(old, assemble(Network=stack(One=subnet("10.0.128.0/18"))))


def test_refuses_another_mount_target_for_the_same_file_system() -> None:
    def target(subnet: str) -> dict[str, Any]:
        return {"Type": TARGET, "Properties": {"FileSystemId": "fs-1", "SubnetId": subnet}}

    assert effects(assemble(Files=stack(It=target("a"))), assemble(Files=stack(It=target("b")))) == [
        (Effect.REFUSED, "Files")
    ]


def test_deletes_a_stack_without_resources_in_its_turn() -> None:
    old = assemble(Producer=stack(PUBLISHED, It=MACHINE), Consumer=stack(Machine=user(READ)))
    new = Assembly(
        old.stack_names,
        {"Producer": {}, "Consumer": stack(Machine=user("nothing"))},
        {"Producer": frozenset({"Consumer"})},
    )

    plan = make_plan(old, new)

    assert new.deploy_order() == ["Consumer", "Producer"]
    assert [(finding.effect, finding.stack) for finding in plan.findings] == [(Effect.DELETED, "Producer")]
    assert plan.list_commands() == ["cdk deploy --all"]


def test_says_that_another_region_makes_everything_anew_and_leaves_what_stands() -> None:
    templates = {"Storage": {"Resources": {"Raw": {"Type": "AWS::S3::Bucket"}}}}
    old, new = (Assembly({"Storage": "app-storage"}, templates, region=region) for region in ("eu-west-1", "eu-west-2"))

    plan = make_plan(old, new)

    assert plan.fails
    assert [str(finding) for finding in plan.findings] == [
        "Storage: stands in eu-west-1; `cdk deploy` makes another one in eu-west-2 and leaves it"
    ]
    assert plan.list_commands() == ["cdk deploy --all"]


@pytest.mark.parametrize("regions", [("eu-west-1", "eu-west-1"), ("eu-west-1", None), (None, "eu-west-1")])
def test_stays_where_it_stands_as_far_as_is_known(regions: tuple[str | None, str | None]) -> None:
    old, new = (
        Assembly({}, {"Storage": {"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}}, region=r) for r in regions
    )

    assert make_plan(old, new).findings == ()


@pytest.mark.parametrize("region", [None, "eu-west-2"])
def test_deploys_by_the_command_that_ends_well_where_object_lambda_is_refused(region: str | None) -> None:
    point = {"Resources": {"Point": {"Type": "AWS::S3ObjectLambda::AccessPoint"}}}
    bucket = {"Resources": {"Raw": {"Type": "AWS::S3::Bucket"}}}
    new = Assembly({"ObjectLambda": "app-objectlambda"}, {"ObjectLambda": point}, region=region)
    old = Assembly({"Storage": "app-storage"}, {"Storage": bucket}, region=region and "eu-west-1")

    plan = make_plan(old, new)

    assert "headrace deploy --env prod" in plan.list_commands("prod")
    assert "cdk deploy --all" in plan.list_commands()
