"""What a teardown would delete, and what it refuses to."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.deletion import planning
from headrace.deletion.data import BUCKET, EFS, HOLDERS, KEY, LOG_GROUP, MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from headrace.deletion.planning import Fate, Plan, ProtectedError, UnnamedDataError, check_names, check_protection
from headrace.deletion.receipts import list_plan_rows
from headrace.deletion.serving import MADE
from headrace.deletion.standing import StandingStack
from headrace.deletion.verifying import list_leftovers
from headrace.inventory import KINDS, Item, Maker, usual_prices

GROUP = "arn:aws:sagemaker:us-east-1:1:model-package-group/headrace-prod-bigmart"


def make_stack(name: str, *, is_protected: bool = False, **outputs: str) -> StandingStack:
    return StandingStack(
        name=f"headrace-prod-{name}",
        id=f"arn:{name}",
        is_protected=is_protected,
        outputs=outputs,
        exports=frozenset(),
        template={},
        resources=(),
    )


def make(kind: str, name: str, *, policy: str = "Delete", stack: str | None = "headrace-prod-storage") -> Item:
    return Item(kind=kind, name=name, maker=Maker.STACK, stack=stack, policy=policy)


def make_plan(*items: Item, **given: Any) -> Plan:
    parts: dict[str, Any] = {"stacks": (make_stack("storage"),), "made": (), "kept": (), **given}
    return Plan(environment="prod", items=items, **parts)


def list_fates(plan: Plan, fate: Fate) -> list[str]:
    return [line.item.name for line in plan.list_lines() if line.fate is fate]


def test_refuses_to_delete_data_that_is_not_named() -> None:
    plan = make_plan(make(BUCKET, "raw"), make(BUCKET, "work"), make(EFS, "fs-1"), make(LOG_GROUP, "logs"))

    with pytest.raises(UnnamedDataError) as refused:
        check_names(replace(plan, named=("ra*",)))

    assert "bucket work\n" in str(refused.value)
    assert "file system fs-1\n" in str(refused.value)
    assert "raw" not in str(refused.value)
    assert "logs" not in str(refused.value)


def test_deletes_data_that_is_named_by_a_pattern() -> None:
    plan = make_plan(make(BUCKET, "raw"), make(EFS, "fs-1"), named=("raw", "fs-*"))

    check_names(plan)

    assert list_fates(plan, Fate.DELETED) == ["headrace-prod-storage", "raw", "fs-1"]


def test_keeps_what_outlives_its_stack_unless_it_is_named() -> None:
    plan = make_plan(make(BUCKET, "raw", policy="RetainExceptOnCreate"), make(LOG_GROUP, "logs", policy="Retain"))

    check_names(plan)
    named = replace(plan, named=("*",))

    assert list_fates(plan, Fate.KEPT) == ["raw", "logs"]
    assert list_fates(named, Fate.DELETED) == ["headrace-prod-storage", "raw", "logs"]


def test_leaves_logs_of_which_nothing_says_whose_they_were() -> None:
    plan = make_plan(unclaimed=(make(LOG_GROUP, "/aws/sagemaker/Endpoints/shop", stack=None),))

    assert list_fates(plan, Fate.LEFT) == ["/aws/sagemaker/Endpoints/shop"]
    assert list_fates(plan, Fate.DELETED) == ["headrace-prod-storage"]


def test_deletes_a_key_after_all_that_it_may_have_encrypted() -> None:
    plan = make_plan(kept=(make(KEY, "k", policy="Retain"), make(BUCKET, "raw", policy="Retain")), named=("*",))

    assert [item.name for item in plan.list_retained()] == ["raw", "k"]


def test_keeps_the_versions_of_a_group_that_is_kept() -> None:
    version = make(MODEL_PACKAGE, f"{GROUP.replace('package-group', 'package')}/1", stack=None)
    plan = make_plan(make(MODEL_PACKAGE_GROUP, GROUP, policy="Retain"), made=(version,))

    assert plan.list_doomed() == []
    assert replace(plan, named=(GROUP,)).list_doomed() == [version]


def test_refuses_to_delete_a_protected_stack() -> None:
    with pytest.raises(ProtectedError, match=r"protected from being deleted: headrace-prod-storage; .* --unprotect"):
        check_protection(make_plan(stacks=(make_stack("storage", is_protected=True),)))


def test_leaves_buckets_that_were_there_before() -> None:
    plan = make_plan(make(BUCKET, "work"), stacks=(make_stack("storage", RawBucketName="ours", WorkBucketName="work"),))

    assert list_fates(plan, Fate.LEFT) == ["ours"]


def make_stacks_on_what_exists() -> list[StandingStack]:
    """Two stacks that use a bucket, a key, a repository and users of somebody else, and their own key."""
    key = {"KmsKeyId": "arn:aws:kms:eu-west-1:210987654321:key/1f0c-ab"}
    own = {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
    users = {"ProviderARNs": ["arn:aws:cognito-idp:eu-west-1:210987654321:userpool/eu-west-1_Theirs"]}
    resources = {"A": key, "B": own, "C": users}
    image_uri = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/teams/vision/training:1"
    return [
        make_stack("registry", TrainingImageUri=image_uri),
        replace(make_stack("storage", WorkBucketName="work"), template={"Resources": resources}),
    ]


def test_leaves_keys_repositories_and_users_that_were_there_before() -> None:
    plan = make_plan(stacks=tuple(make_stacks_on_what_exists()))

    assert list_fates(plan, Fate.LEFT) == ["eu-west-1_Theirs", "teams/vision/training", "1f0c-ab", "work"]


def test_takes_nothing_that_was_there_before_for_kept_by_an_earlier_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    own = make(BUCKET, "raw")
    monkeypatch.setattr(planning, "make_session", lambda: None)
    monkeypatch.setattr(planning, "split_stacks", lambda _: (make_stacks_on_what_exists(), []))
    monkeypatch.setattr(planning, "read_stacks", lambda *_: [own])
    monkeypatch.setattr(planning, "read_run_time", lambda *_: [])
    monkeypatch.setattr(planning, "name_endpoints_of_versions", lambda *_: set())
    monkeypatch.setattr(planning, "list_lost_logs", lambda *_: [])
    monkeypatch.setattr(planning, "find_kept", lambda _, taken: [make(BUCKET, name) for name in sorted(taken)])

    taken = [item.name for item in planning.make_plan("prod").kept]

    assert taken == ["1f0c-ab", "eu-west-1_Theirs", "raw", "teams/vision/training", "work"]


def test_says_which_names_are_of_nothing() -> None:
    assert make_plan(make(BUCKET, "raw"), named=("raw", "wrok")).list_unmatched() == ["wrok"]


def test_verifies_what_costs_alone_and_says_what() -> None:
    variant = {"VariantName": "a", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    endpoint = Item(
        kind="AWS::SageMaker::Endpoint", name="e", maker=Maker.RUN, properties={"ProductionVariants": [variant]}
    )
    model = Item(kind="AWS::SageMaker::Model", name="m", maker=Maker.RUN)
    plan = make_plan(make("AWS::EC2::VPC", "vpc"), made=(endpoint, model), kept=(make(BUCKET, "raw", policy="Retain"),))

    found = list(list_leftovers(plan, usual_prices()))

    # 0.23 * 730
    assert [(each.item.name, each.cost) for each in found] == [("e", "167.90 a month"), ("raw", "0.023 a month per GB")]


def test_lists_what_matters_of_a_stack_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HOLDERS, BUCKET, replace(HOLDERS[BUCKET], measure=lambda _: "3 object versions"))
    plan = make_plan(make(BUCKET, "raw"), make("AWS::IAM::Role", "role"), named=("raw",))

    assert list_plan_rows(plan, usual_prices()) == [
        ("deleted", "stack", "headrace-prod-storage", "2 resources", ""),
        ("deleted", "bucket", "raw", "3 object versions", "0.023 a month per GB"),
    ]


def test_deletes_only_types_that_the_inventory_knows() -> None:
    assert HOLDERS.keys() | MADE.keys() <= KINDS.keys()


@pytest.mark.parametrize(("code", "said"), [("NoSuchBucket", "not there"), ("AccessDenied", "not known: AccessDenied")])
def test_shows_data_that_is_gone_or_that_it_may_not_see(code: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> str:
        raise ClientError({"Error": {"Code": code}}, "ListObjectVersions")

    monkeypatch.setitem(HOLDERS, BUCKET, replace(HOLDERS[BUCKET], measure=refuse))

    rows = list_plan_rows(make_plan(make(BUCKET, "raw")), usual_prices())

    assert [row[3] for row in rows if row[2] == "raw"] == [said]
