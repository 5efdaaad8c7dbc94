"""What the settings name as somebody else's is used everywhere, and made, changed or deleted nowhere."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from headrace import contract
from headrace.assemblies.assembly import list_resources
from headrace.grants import Account, list_grants
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.conftest import PROJECT
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, context_of, find_resources, list_stacks, read_stacks, set_path
from tests.stacks.synthesis import synthesize
from tests.stacks.transitions import switched

EXISTING = SWITCHES["existing"]
KEY = EXISTING["encryption.existing_key"]
RAW, WORK = EXISTING["storage.existing_raw_bucket"], EXISTING["storage.existing_work_bucket"]
REGISTRY = EXISTING["registry.existing"]


def list_texts(value: Any) -> Iterator[str]:
    """Every text in a part of a template."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from list_texts(entry)


def find_properties(kind: str, name: str) -> set[Any]:
    """The values of a property of all resources of a kind."""
    return {each["Properties"].get(name) for each in find_resources("existing", kind).values()}


def test_makes_none_of_what_exists() -> None:
    assert find_resources("existing", "AWS::ECR::Repository", "AWS::KMS::Key", "AWS::S3::Bucket") == {}
    assert "Encryption" not in list_stacks("existing")


def test_changes_no_policy_of_what_exists() -> None:
    assert find_resources("existing", "AWS::S3::BucketPolicy") == {}


def test_makes_one_bucket_and_its_logs_where_the_other_exists() -> None:
    template = template_with("Storage", "dev", {"storage.existing_raw_bucket": RAW})

    buckets = template.find_resources("AWS::S3::Bucket")
    assert {name.rstrip("0123456789ABCDEF") for name in buckets} == {"AccessLogs", "Work"}


def test_says_in_its_outputs_where_things_are() -> None:
    outputs = {
        name: json.dumps(output["Value"])
        for made in read_stacks("existing").values()
        for name, output in made["template"].get("Outputs", {}).items()
    }

    assert json.loads(outputs[contract.RAW_BUCKET_OUTPUT]) == RAW
    assert json.loads(outputs[contract.WORK_BUCKET_OUTPUT]) == WORK
    images = {name: value for name, value in outputs.items() if name.endswith("ImageUri")}
    assert images
    for value in images.values():
        assert "210987654321.dkr.ecr.eu-west-1." in value
        assert "/teams/vision/" in value


def test_takes_nothing_from_stacks_that_make_nothing() -> None:
    read = {
        text
        for made in read_stacks("existing").values()
        for text in list_texts(made["template"]["Resources"])
        if text in ("headrace-dev-storage", "headrace-dev-registry", "headrace-dev-encryption")
    }

    assert read == set()


def test_encrypts_with_the_key_whatever_a_key_of_the_platform_would() -> None:
    """Buckets apart, whose encryption is their keeper's."""
    with_own = find_resources("key", "AWS::Logs::LogGroup", "AWS::StepFunctions::StateMachine", "AWS::IAM::Policy")
    with_existing = find_resources("existing", *{each["Type"] for each in with_own.values()})

    for name, resource in with_own.items():
        uses_key = "Key961B73FD" in json.dumps(resource)
        assert (KEY in json.dumps(with_existing[name])) == uses_key, name


def test_lets_the_network_lead_to_the_buckets() -> None:
    (gateway,) = find_resources("existing", "AWS::EC2::VPCEndpoint").values()

    said = "".join(list_texts(gateway["Properties"]["PolicyDocument"]))
    assert f":s3:::{RAW}/*" in said
    assert f":s3:::{WORK}/*" in said


def test_links_lustre_and_access_points_to_the_bucket() -> None:
    template = template_with("FileSystems", "existing", {"file_systems.fsx.enabled": True})

    template.has_resource_properties("AWS::FSx::DataRepositoryAssociation", {"DataRepositoryPath": f"s3://{RAW}"})
    assert find_properties("AWS::S3::AccessPoint", "Bucket") == {RAW}


@pytest.mark.parametrize(("has_fsx", "services"), [(False, ["logs"]), (True, ["logs", "fsx.", "lustre.fsx"])])
def test_says_what_the_policy_of_the_key_must_have(has_fsx: bool, services: list[str]) -> None:
    context = context_of("existing")
    set_path(context["environments"]["dev"], "file_systems.fsx.enabled", has_fsx)

    statements = synthesize(context)["Encryption"]["template"]["Metadata"][contract.KEY_POLICY_METADATA]

    assert len(statements) == len(services)
    for statement, service in zip(statements, services, strict=True):
        assert service in json.dumps(statement)


@pytest.mark.parametrize(
    ("enabled", "services"),
    [
        ({"efs"}, ["elasticfilesystem"]),
        ({"fsx"}, ["fsx"]),
        ({"efs", "fsx"}, ["elasticfilesystem", "fsx"]),
    ],
)
def test_lets_the_account_make_file_systems_with_the_key_through_their_services_alone(
    enabled: set[str], services: list[str]
) -> None:
    """https://docs.aws.amazon.com/efs/latest/ug/EFSKMS.html names the first three as required."""
    context = context_of("existing")
    for name in ("efs", "fsx"):
        set_path(context["environments"]["dev"], f"file_systems.{name}.enabled", name in enabled)

    statements = synthesize(context)["Encryption"]["template"]["Metadata"][contract.KEY_POLICY_METADATA]

    (statement,) = (found for found in statements if "kms:CreateGrant" in found["Action"])
    assert {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"} <= {
        *statement["Action"]
    }
    assert "iam::" in json.dumps(statement["Principal"])
    conditions = statement["Condition"]["StringEquals"]
    assert conditions["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
    through = conditions["kms:ViaService"]
    joined = [value["Fn::Join"][1] for value in (through if isinstance(through, list) else [through])]
    assert joined == [[f"{service}.", {"Ref": "AWS::Region"}, ".amazonaws.com"] for service in services]


def test_shows_in_the_docs_what_the_keeper_of_the_work_bucket_must_allow() -> None:
    page = (PROJECT / "docs" / "existing.md").read_text()
    shown = next(block for block in page.split("```json\n")[1:] if "Statement" in block)

    grants = list_grants(switched("dev", "existing"), Account("210987654321", "eu-west-1"))

    (arn,) = (arn for arn in grants if arn.endswith(WORK))
    assert json.loads(shown.partition("```")[0]) == {arn: grants[arn]}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_never_deletes_what_exists_when_it_is_given_back(environment: str) -> None:
    """None of it is in a template, so nothing that CloudFormation or `headrace teardown` deletes can be it."""
    for template in switched(environment, "existing").templates.values():
        kinds = {resource["Type"] for resource in list_resources(template).values()}
        assert not kinds & {"AWS::ECR::Repository", "AWS::KMS::Key", "AWS::S3::Bucket"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"storage.existing_raw_bucket": "s3://photographs"}, "not the name of a bucket; give the name alone"),
        ({"storage.existing_raw_bucket": "Photographs"}, "not the name of a bucket"),
        ({"storage.existing_raw_bucket": "company.photographs"}, "S3's certificate covers no name with dots"),
        ({"storage.existing_work_bucket": "team-abcdefgh-s3alias"}, "an access point or a bucket of another kind"),
        ({"storage.existing_work_bucket": RAW}, "are one; give two"),
        ({"encryption.existing_key": "alias/team"}, "not the ARN of a key; give it whole"),
        ({"encryption.existing_key": KEY.replace(":key/", ":alias/")}, "not that of an alias"),
        ({"encryption.existing_key": KEY[:-24]}, "not the ARN of a key; give it whole"),
        ({"encryption.customer_key": True}, "customer_key makes a key, and existing_key names one"),
        (
            {"encryption.customer_key": True, "encryption.existing_key": None},
            "storage.existing_work_bucket: 'company-features' stays when the environment goes",
        ),
        (
            {"registry.existing": "210987654321.dkr.ecr.eu-west-1.amazonaws.com"},
            "not an ECR registry followed by a prefix",
        ),
        ({"registry.existing": "docker.io/teams/vision"}, "not an ECR registry followed by a prefix"),
        (
            {"registry.existing": REGISTRY.replace("eu-west-1", "eu-west-2")},
            "encryption.existing_key is in eu-west-1, registry.existing in eu-west-2",
        ),
    ],
)
def test_refuses_what_cannot_be(changes: Mapping[str, Any], message: str) -> None:
    environments = context_of("existing")["environments"]
    for path, value in changes.items():
        set_path(environments["dev"], path, value)

    with pytest.raises(SettingsError, match=message):
        Settings.from_mapping("dev", environments)
