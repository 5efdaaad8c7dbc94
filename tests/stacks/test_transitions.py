"""Every switch can be turned on a living environment, and back, and again: walked over the templates.

CloudFormation refuses on AWS what the local cloud lets pass, and then keeps what it could not delete.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from headrace import contract
from headrace.assemblies import Assembly
from headrace.assemblies.assembly import list_resources
from headrace.changes import Effect, Plan, make_plan
from headrace.changes.planning import Verb, follow
from headrace.changes.world import World
from tests.examples import IS_EXHAUSTIVE
from tests.stacks.conftest import ENVIRONMENTS
from tests.stacks.kept_assemblies import read_assembly
from tests.stacks.transitions import BOTH, SWITCHED, strengthen, switched

EVERY_SWITCH = [(environment, switch) for environment in ENVIRONMENTS for switch in SWITCHED[environment]]
# Lustre goes with its stack, and a bucket once no access point is on it, so what uses them lets go of them before.
USERS_FIRST = {("dev", "existing"), ("prod", "fsx"), ("prod", "fsx-per-run")}
# What turns the same settings in both is turned in the first only, but for `make test-all`.
EACH_SWITCH = [
    (environment, switch)
    for environment, switch in EVERY_SWITCH
    if IS_EXHAUSTIVE
    or environment == ENVIRONMENTS[0]
    or SWITCHED[ENVIRONMENTS[0]].get(switch) != SWITCHED[environment][switch]
    or (environment, switch) in USERS_FIRST
]
# With exports, CloudFormation would refuse these on the way there or back.
LOCKED = {
    "dev": {
        *("alarms", "bulk", "door", "efs", "efs-read", "existing", "fsx", "fsx-per-run"),
        *("normalizer", "object-lambda"),
    },
    "prod": {
        *("alarms", "bulk", "consumers", "efs", "existing", "file-systems"),
        *("fsx", "fsx-per-run", "key", "normalizer", "scratch"),
    },
}


def list_plans(base: Assembly, other: Assembly) -> Iterator[Plan]:
    """There, back, and there again; what an earlier deployment left behind is in the way of a later one."""
    world = World.of(base)
    for old, new in ((base, other), (other, base), (base, other)):
        plan = make_plan(old, new, world=world)
        yield plan
        world = follow(world, plan, new)


@pytest.mark.parametrize(("environment", "switch"), EACH_SWITCH)
def test_turns_a_switch_there_and_back_and_there_again_with_one_command_each(environment: str, switch: str) -> None:
    for plan in list_plans(switched(environment), switched(environment, switch)):
        assert [str(finding) for finding in plan.findings if finding.effect.is_failure] == []
        *first, last = (step.verb for step in plan.steps)
        assert last is Verb.DEPLOY_ALL
        assert set(first) <= ({Verb.DEPLOY_FIRST} if (environment, switch) in USERS_FIRST else set())


# Each of its switches is deployed both ways, and what is asked of the world is the same in both environments.
@pytest.mark.parametrize("environment", ENVIRONMENTS if IS_EXHAUSTIVE else ENVIRONMENTS[:1])
def test_would_see_what_cloudformation_refuses(environment: str) -> None:
    base = strengthen(switched(environment))
    locked = {
        switch
        for switch in SWITCHED[environment]
        if any(refuses(old, new) for old, new in both_ways(base, strengthen(switched(environment, switch))))
    }

    assert locked == LOCKED[environment]


def both_ways(base: Assembly, other: Assembly) -> Iterator[tuple[Assembly, Assembly]]:
    yield base, other
    yield other, base


def refuses(old: Assembly, new: Assembly) -> bool:
    """Whether CloudFormation refuses `cdk deploy --all`."""
    world = World.of(old)
    world.learn(new)
    return not all(world.deploy(stack, new.templates[stack]) for stack in new.deploy_order())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_goes_from_exports_to_weak_references_over_both(environment: str) -> None:
    kept, now = read_assembly(environment), switched(environment)

    plan = make_plan(kept, now, between=switched(environment, references=BOTH))

    assert make_plan(kept, now).fails
    assert [str(finding) for finding in plan.findings if finding.effect.is_failure] == []
    assert [step.verb for step in plan.steps] == [Verb.DEPLOY_BOTH, Verb.DEPLOY_ALL]


def test_says_that_access_points_move_to_their_own_stack() -> None:
    """They stood in the normalizer's stack, with names that CloudFormation drew."""
    kept = read_assembly("prod")
    normalizer = kept.templates["Normalizer"]
    pictures = {"TrainingConsumerPictures4592EDB9": {"Type": "AWS::S3ObjectLambda::AccessPoint", "Properties": {}}}
    with_pictures = {**normalizer, "Resources": {**list_resources(normalizer), **pictures}}
    old = replace(kept, templates={**kept.templates, "Normalizer": with_pictures})

    plan = make_plan(old, switched("prod"), between=switched("prod", references=BOTH))

    assert not plan.fails
    assert [str(finding) for finding in plan.findings if finding.kind == "AWS::S3ObjectLambda::AccessPoint"] == [
        "Normalizer/TrainingConsumerPictures4592EDB9 (AWS::S3ObjectLambda::AccessPoint): is deleted with its alias"
    ]


@pytest.mark.parametrize(
    ("environment", "switch", "stack"),
    [
        ("dev", "normalizer", "Normalizer"),
        ("prod", "file-systems", "FileSystems"),
        ("prod", "normalizer", "ObjectLambda"),
    ],
)
def test_deletes_a_stack_that_is_switched_off_after_those_who_used_it(
    environment: str, switch: str, stack: str
) -> None:
    off = switched(environment, switch)
    order = off.deploy_order()

    assert list_resources(off.templates[stack]) == {}
    assert order.index(stack) > order.index("Images")


@pytest.mark.parametrize(
    ("environment", "switch"), [("dev", ""), ("dev", "normalizer"), ("prod", "object-lambda"), ("prod", "normalizer")]
)
def test_deletes_object_lambda_before_the_function_and_the_access_points_that_it_stands_on(
    environment: str, switch: str
) -> None:
    order = switched(environment, switch).deploy_order()

    assert order.index(contract.OBJECT_LAMBDA_STACK) < order.index("Normalizer")


@pytest.mark.parametrize("switch", ["object-lambda", "normalizer"])
def test_takes_nothing_away_from_object_lambda_while_it_stands(switch: str) -> None:
    plan = make_plan(switched("prod"), switched("prod", switch))

    assert [str(finding) for finding in plan.findings if finding.effect is Effect.INTERRUPTED] == []


def test_says_what_turning_file_systems_off_leaves_on_the_bill() -> None:
    plan = make_plan(switched("prod"), switched("prod", "file-systems"))

    left = {finding.kind: finding for finding in plan.findings if finding.effect is Effect.LEFT_BEHIND}

    assert plan.is_dangerous
    assert left.keys() == {"AWS::EFS::FileSystem"}
    assert "AWS::FSx::FileSystem" in {finding.kind for finding in plan.findings if finding.effect is Effect.DELETED}


def test_says_that_turning_the_key_off_loses_what_it_encrypted() -> None:
    plan = make_plan(switched("dev", "key"), switched("dev"))

    assert [(finding.effect, finding.kind) for finding in plan.findings] == [(Effect.DELETED, "AWS::KMS::Key")]


def test_says_what_becomes_of_its_own_when_existing_ones_take_their_place() -> None:
    own = {"AWS::S3::Bucket", "AWS::ECR::Repository"}
    kept = make_plan(switched("prod"), switched("prod", "existing"))
    lost = make_plan(switched("dev"), switched("dev", "existing"))

    assert {each.kind for each in kept.findings if each.effect is Effect.LEFT_BEHIND} >= {*own, "AWS::KMS::Key"}
    assert {each.kind for each in lost.findings if each.effect is Effect.DELETED} == own
    assert {each.kind for each in lost.findings if each.effect is Effect.NOT_EMPTY} == {"AWS::S3::Bucket"}


def test_frees_a_bucket_of_its_access_points_before_it_is_deleted() -> None:
    plan = make_plan(switched("dev"), switched("dev", "existing"))

    first = [stack for step in plan.steps if step.verb is Verb.DEPLOY_FIRST for stack in step.stacks]
    assert "Normalizer" in first
    assert not [finding for finding in plan.findings if finding.effect is Effect.STUCK]


def test_deploys_first_what_those_wait_for_that_must_let_go_of_a_bucket() -> None:
    """The bulk normalizer comes with existing buckets, and its jobs are in a security group of the network's stack."""
    plan = make_plan(switched("dev", "bulk"), switched("dev", "existing"))

    assert ("Network", "Normalizer") in [step.stacks for step in plan.steps]
    assert [str(finding) for finding in plan.findings if finding.effect.is_failure] == []


def test_deploys_first_only_what_is_in_the_way_where_others_would_go_on_naming_what_is_replaced() -> None:
    plan = make_plan(switched("prod", "retain"), switched("prod", "existing"))

    assert [step.stacks for step in plan.steps if step.verb is Verb.DEPLOY_FIRST] == [("Normalizer",)]
    assert [str(finding) for finding in plan.findings if finding.effect.is_failure] == []


@pytest.mark.full("pairs")
@pytest.mark.parametrize(("environment", "switch"), EVERY_SWITCH)
def test_turns_a_switch_off_and_any_other_on_at_once(environment: str, switch: str) -> None:
    base = switched(environment, switch)
    world = World.of(base)
    plans = {other: make_plan(base, switched(environment, other), world=world) for other in SWITCHED[environment]}

    assert {other: plan.findings for other, plan in plans.items() if plan.fails} == {}
    assert {plan.steps[-1].verb for plan in plans.values()} == {Verb.DEPLOY_ALL}


def test_finds_nothing_to_say_when_nothing_is_lost() -> None:
    for switch in ("nat", "endpoints", "cache", "boundary"):
        plan = make_plan(switched("dev"), switched("dev", switch))

        assert plan.findings == (), switch
