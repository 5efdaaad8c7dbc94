"""The policies that keepers of existing buckets, keys and repositories need, from the roles that use them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headrace import contract
from headrace.assemblies import Assembly
from headrace.cli import cli
from headrace.grants import Account, list_grants

ACCOUNT = Account("123456789012", "eu-west-1")
BUCKET = "arn:aws:s3:::company-photographs"
KEY = "arn:aws:kms:eu-west-1:210987654321:key/1234abcd"
REPOSITORY = "arn:aws:ecr:eu-west-1:210987654321:repository/teams/training"
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def bucket(tail: str = "") -> dict[str, Any]:
    """The bucket's ARN as CDK writes it."""
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":s3:::company-photographs{tail}"]]}


def allow(actions: str | list[str], resources: Any, **conditions: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources,
        **({"Condition": conditions} if conditions else {}),
    }


def assemble(*statements: dict[str, Any], **sections: Any) -> Assembly:
    """Templates of a role with these statements, whose raw bucket exists."""
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": list(statements)}}}
    outputs = {contract.RAW_BUCKET_OUTPUT: {"Value": "company-photographs"}}
    template = {"Resources": {"Policy": policy}, "Outputs": outputs, **sections}
    return Assembly({"Any": "headrace-dev-any"}, {"Any": template})


def read_statements(assembly: Assembly, owner: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = list_grants(assembly, ACCOUNT)[owner]["Statement"]
    return statements


def test_allows_on_objects_what_roles_may_do_in_as_few_statements_as_say_the_same() -> None:
    assembly = assemble(
        allow("s3:GetObject", bucket("/images/*")),
        allow(["s3:GetObject", "s3:PutObject"], [bucket("/lists/*"), bucket("/rows/*")]),
        allow("s3:ListBucket", bucket(), StringLike={"s3:prefix": ["images/*"]}),
        allow("s3:ListBucket", bucket(), StringLike={"s3:prefix": ["rows/*"]}),
    )

    assert read_statements(assembly, BUCKET) == [
        {"Effect": "Allow", "Principal": ROOT, "Action": ["s3:ListBucket"], "Resource": [BUCKET]},
        {"Effect": "Allow", "Principal": ROOT, "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/images/*"]},
        {
            "Effect": "Allow",
            "Principal": ROOT,
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [f"{BUCKET}/lists/*", f"{BUCKET}/rows/*"],
        },
    ]


def test_keeps_the_conditions_on_a_key_and_adds_what_services_need() -> None:
    for_volumes = {"kms:GrantIsForAWSResource": "true"}
    service = {"Effect": "Allow", "Principal": {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}]]}}}
    assembly = assemble(
        allow("kms:Decrypt", KEY),
        allow("kms:CreateGrant", KEY, Bool=for_volumes),
        Metadata={contract.KEY_POLICY_METADATA: [service]},
    )

    decrypting, granting, logging = read_statements(assembly, KEY)

    assert (decrypting["Action"], decrypting["Resource"]) == (["kms:Decrypt"], "*")
    assert granting["Condition"] == {"Bool": for_volumes}
    assert logging["Principal"] == {"Service": "logs.eu-west-1"}


def test_allows_to_push_to_repositories_whose_policies_have_no_resource() -> None:
    (statement,) = read_statements(assemble(allow("ecr:BatchGetImage", REPOSITORY)), REPOSITORY)

    assert statement == {"Effect": "Allow", "Principal": ROOT, "Action": list(contract.PUSH_ACTIONS)}


def test_leaves_out_what_the_stacks_make() -> None:
    made = {"Fn::GetAtt": ["Key", "Arn"]}
    layers = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::other/*"]]}

    assert list_grants(assemble(allow("kms:Decrypt", made), allow("s3:GetObject", [layers, "*"])), ACCOUNT) == {}


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")],
)
def test_names_things_as_the_regions_partition_does(region: str, partition: str) -> None:
    assert Account("123456789012", region).principal == {"AWS": f"arn:{partition}:iam::123456789012:root"}


def write_folder(folder: Path, assembly: Assembly) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for stack, template in assembly.templates.items():
        (folder / f"{stack}.json").write_text(json.dumps(template))


def test_prints_the_policies_and_says_when_there_is_nothing_to_allow(tmp_path: Path) -> None:
    command = ["grants", "--account", ACCOUNT.number, "--region", ACCOUNT.region, "--assembly", str(tmp_path / "out")]

    write_folder(tmp_path / "out", assemble(allow("ecr:BatchGetImage", REPOSITORY)))
    printed = CliRunner().invoke(cli, command)
    write_folder(tmp_path / "out", assemble())
    nothing = CliRunner().invoke(cli, command)

    assert list(json.loads(printed.stdout)) == [REPOSITORY]
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "there is nothing to allow" in nothing.stderr


def write_bound(folder: Path, region: str) -> None:
    """An assembly of CDK whose stacks are bound to a Region."""
    service = {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}}
    metadata = {contract.KEY_POLICY_METADATA: [{"Effect": "Allow", "Principal": service}]}
    write_folder(folder, assemble(allow("kms:Decrypt", KEY), Metadata=metadata))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://unknown-account/{region}",
        "properties": {"templateFile": "Any.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Any": stack}}))


def run_grants(assembly: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["grants", "--account", ACCOUNT.number, "--assembly", str(assembly), *arguments])


@pytest.mark.parametrize("arguments", [(), ("--region", "eu-west-3")])
def test_uses_the_region_that_the_assembly_names(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write_bound(tmp_path, "eu-west-3")

    answer = run_grants(tmp_path, *arguments)

    assert answer.exit_code == 0, answer.output
    assert '"logs.eu-west-3.amazonaws.com"' in answer.stdout


def test_refuses_another_region_than_the_assemblys(tmp_path: Path) -> None:
    write_bound(tmp_path, "eu-west-3")

    answer = run_grants(tmp_path, "--region", "eu-west-1")

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "is for eu-west-3, not eu-west-1" in answer.stderr


def test_asks_for_the_region_where_the_assembly_names_none(tmp_path: Path) -> None:
    write_folder(tmp_path, assemble(allow("ecr:BatchGetImage", REPOSITORY)))

    answer = run_grants(tmp_path)

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "names no Region: add --region" in answer.stderr
