"""What is written of Regions is what cfn-lint's registry and lists say; `HEADRACE_UPDATE_REGIONS=1` writes it anew."""

import json
import os
import subprocess
from functools import cache
from typing import Any

import botocore.session
import pytest

from headrace import regions
from stacks.settings.instance_types import RETIRED_FAMILIES
from tests.conftest import PROJECT
from tests.stacks.conftest import VARIANTS, read_stacks
from tests.stacks.test_linters import CFN_LINT_VERSION, TOOL

STORED = PROJECT / "headrace" / "regions.json"
UPDATE = "HEADRACE_UPDATE_REGIONS"
# Prints, for each Region, the types of a list that it lacks, and the families of another that no list has for it.
ASK_CFN_LINT = """
import json, pathlib, sys
import cfnlint
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas, ResourceNotFoundError
kinds, known = json.loads(sys.argv[1])
extensions = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas" / "extensions"
def read_families(name):
    lists = json.loads((extensions / name / "instancetype_enum.json").read_text())
    found = {region: values["enum"] for region, values in lists.items() if isinstance(values, dict)}
    return {region: {kind.removeprefix("ml.").split(".")[0] for kind in kinds} for region, kinds in found.items()}
names = ("aws_ec2_instance", *(f"aws_sagemaker_{use}" for use in ("hosting", "processing", "transform", "cluster")))
lists = [read_families(name) for name in names]
def lacks(region, kind):
    try:
        return not schemas.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return True
print(json.dumps({
    region: {
        "types": " ".join(kind for kind in kinds if lacks(region, kind)),
        "families": " ".join(f for f in known if not any(f in found.get(region, ()) for found in lists)),
    }
    for region in sorted(lists[0]) if region != "all"
}))
"""


@cache
def list_kinds() -> list[str]:
    """The types of every resource that any setting deploys."""
    templates = [made["template"] for variant in VARIANTS for made in read_stacks(variant).values()]
    return sorted({resource["Type"] for template in templates for resource in template["Resources"].values()})


def list_families() -> list[str]:
    """The families of instances that SageMaker knows and the settings take."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    names = ("TrainingInstanceType", "ProcessingInstanceType", "ProductionVariantInstanceType", "InstanceType")
    kinds = {kind for name in names for kind in model.shape_for(name).enum}
    return sorted({kind.split(".")[1] for kind in kinds} - RETIRED_FAMILIES)


@pytest.mark.slow
def test_says_of_regions_what_cfn_lint_does() -> None:
    question = json.dumps([list_kinds(), list_families()])
    asked = [*TOOL, CFN_LINT_VERSION, "python", "-c", ASK_CFN_LINT, question]
    answer: dict[str, Any] = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)

    lines = [f"  {json.dumps(region)}: {json.dumps(lacks)}" for region, lacks in answer.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if UPDATE in os.environ:
        STORED.write_text(text)

    assert STORED.read_text() == text


def test_knows_every_region_where_sagemaker_is() -> None:
    offered = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in botocore.session.get_session().get_available_regions("sagemaker", partition)
    }

    assert offered <= set(regions.list_regions())


@pytest.mark.parametrize("service", [regions.COMPREHEND, regions.TEXTRACT])
def test_knows_every_region_where_documents_can_be_read(service: str) -> None:
    session = botocore.session.get_session()
    offered = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions(service, partition)
    }

    assert {region for region in regions.list_regions() if not regions.lacks_service(region, service)} == offered


def test_says_no_region_lacks_a_service_of_which_it_knows_nothing() -> None:
    assert not regions.lacks_service("sa-east-1", "s3")


@pytest.mark.parametrize(
    ("region", "lacks"),
    [
        ("eu-central-1", []),
        ("us-east-1", []),
        ("eu-central-2", ["AWS::Budgets::Budget", "AWS::Lambda::Url"]),
        ("eu-south-2", ["AWS::Budgets::Budget", "AWS::Lambda::Url"]),
        (
            "cn-north-1",
            [
                "AWS::Cognito::UserPool",
                "AWS::Cognito::UserPoolClient",
                "AWS::Lambda::Url",
                "AWS::SageMaker::ModelPackageGroup",
            ],
        ),
        (
            "me-central-1",
            [
                "AWS::Budgets::Budget",
                "AWS::Lambda::Url",
                "AWS::SageMaker::CodeRepository",
                "AWS::SageMaker::NotebookInstance",
                "AWS::SageMaker::NotebookInstanceLifecycleConfig",
            ],
        ),
        (
            "ap-southeast-6",
            ["AWS::Budgets::Budget", "AWS::FSx::FileSystem", "AWS::Lambda::Url", "AWS::SageMaker::ModelPackageGroup"],
        ),
    ],
)
def test_lists_what_a_region_lacks(region: str, lacks: list[str]) -> None:
    assert regions.list_lacked_types(region) == lacks
    assert all(regions.lacks_type(region, kind) for kind in lacks)


def test_tells_where_a_family_of_instances_is_not_offered() -> None:
    assert regions.lacks_instance_type("af-south-1", "ml.g5.xlarge")
    assert not regions.lacks_instance_type("eu-central-1", "ml.g5.xlarge")
    assert not any(regions.lacks_instance_type(region, "ml.t3.medium") for region in regions.list_regions())


def test_names_in_the_documentation_every_region_without_model_package_groups() -> None:
    lacking = [name for name in regions.list_regions() if regions.lacks_type(name, regions.MODEL_PACKAGE_GROUP)]
    said = f"in {', '.join(lacking[:-1])} and {lacking[-1]}: the workloads' stacks cannot be deployed there"

    assert said in (PROJECT / "docs" / "infrastructure.md").read_text()
