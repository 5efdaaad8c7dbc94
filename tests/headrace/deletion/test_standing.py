"""The order in which the stacks of an environment can be deleted."""

from typing import Any

from headrace.deletion.standing import Resource, StandingStack, order_by_use


def make_stack(name: str, *, exports: frozenset[str] = frozenset(), uses: Any = None, **policies: str) -> StandingStack:
    """A stack whose template uses something, and has buckets with these deletion policies."""
    resources = {kept: {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy} for kept, policy in policies.items()}
    return StandingStack(
        name=name,
        id=f"arn:{name}",
        is_protected=False,
        outputs={},
        exports=exports,
        template={"Resources": {**resources, "User": {"Type": "AWS::IAM::Role", "Properties": {"Some": [uses]}}}},
        resources=tuple(Resource(kept, "AWS::S3::Bucket", kept.lower()) for kept in policies),
    )


def test_deletes_those_first_that_use_the_exports_of_others() -> None:
    storage = make_stack("storage", exports=frozenset({"storage:Raw"}))
    network = make_stack("network", exports=frozenset({"network:Vpc"}), uses={"Fn::ImportValue": "storage:Raw"})
    job = make_stack("job", uses={"Fn::Join": ["", [{"Fn::ImportValue": "network:Vpc"}]]})

    assert order_by_use([storage, network, job]) == [job, network, storage]


def test_deletes_those_first_that_read_the_outputs_of_others() -> None:
    storage = make_stack("storage")
    job = make_stack("job", uses={"Fn::GetStackOutput": {"StackName": "storage", "OutputName": "Raw"}})

    assert order_by_use([storage, job]) == [job, storage]


def test_takes_no_notice_of_what_other_environments_export() -> None:
    job = make_stack("job", uses={"Fn::ImportValue": "elsewhere:Raw"})

    assert order_by_use([job]) == [job]


def test_tells_what_outlives_a_stack() -> None:
    stack = make_stack("storage", Raw="RetainExceptOnCreate", Logs="Retain", Work="Delete")

    assert [resource.logical_id for resource in stack.resources if stack.keeps(resource)] == ["Raw", "Logs"]
    assert stack.list_ids("AWS::S3::Bucket") == ["raw", "logs", "work"]
