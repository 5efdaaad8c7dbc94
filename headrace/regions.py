"""What Regions of AWS lack of what this project deploys; standard library only.

`regions.json` holds what the registry of CloudFormation's resource types and the lists of EC2's and SageMaker's
instance types say of each Region. A test compares it with cfn-lint, which carries both, and writes it anew. AWS's
guides know of more; that stands here.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

DISTRIBUTION: Final = "AWS::CloudFront::Distribution"
USER_POOL: Final = "AWS::Cognito::UserPool"
BUDGET: Final = "AWS::Budgets::Budget"
FUNCTION_URL: Final = "AWS::Lambda::Url"
FSX_FILE_SYSTEM: Final = "AWS::FSx::FileSystem"
MODEL_PACKAGE_GROUP: Final = "AWS::SageMaker::ModelPackageGroup"
NOTEBOOK: Final = "AWS::SageMaker::NotebookInstance"
OBJECT_LAMBDA: Final = "AWS::S3ObjectLambda::AccessPoint"
# What state machines call services.
COMPREHEND: Final = "comprehend"
TEXTRACT: Final = "textract"
# Until when an account must have used it to have it still, in whichever Region:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazons3-ol-change.html
OBJECT_LAMBDA_CLOSED: Final = "7 November 2025"

_LACKED_BY_GUIDES: Final[Mapping[str, frozenset[str]]] = {
    # https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html names eu-south-2, and
    # https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html both Regions of China.
    FUNCTION_URL: frozenset({"cn-north-1", "cn-northwest-1", "eu-south-2"}),
}
# Where services are that executions call, and of which no template has a resource:
# https://docs.aws.amazon.com/general/latest/gr/textract.html, …/comprehend.html, in November 2026.
_OFFERED: Final[Mapping[str, str]] = {
    TEXTRACT: (
        "ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-south-2 eu-west-1 "
        "eu-west-2 eu-west-3 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2"
    ),
    COMPREHEND: (
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 "
        "eu-west-2 us-east-1 us-east-2 us-gov-west-1 us-west-2"
    ),
}
# Persistent file systems have 50, 100 or 200 MB/s per TiB there, as PERSISTENT_1 has; there are no scratch ones:
# https://docs.amazonaws.cn/en_us/fsx/latest/LustreGuide/managing-throughput-capacity.html, …/using-fsx-lustre.html
_WITHOUT_CURRENT_LUSTRE: Final = frozenset({"cn-north-1", "cn-northwest-1"})


@cache
def _read_facts() -> Mapping[str, Mapping[str, frozenset[str]]]:
    stored: Mapping[str, Any] = json.loads(resources.files("headrace").joinpath("regions.json").read_text())
    return {
        region: {what: frozenset(names.split()) for what, names in lacks.items()} for region, lacks in stored.items()
    }


def list_regions() -> list[str]:
    """The Regions that are known, those of China and GovCloud included."""
    return sorted(_read_facts())


def lacks_type(region: str, kind: str) -> bool:
    """Whether a known Region has no resources of a CloudFormation type."""
    return kind in _read_facts()[region]["types"] or region in _LACKED_BY_GUIDES.get(kind, ())


def list_lacked_types(region: str) -> list[str]:
    """The CloudFormation types of this project that a known Region lacks."""
    by_guides = {kind for kind, regions in _LACKED_BY_GUIDES.items() if region in regions}
    return sorted(_read_facts()[region]["types"] | by_guides)


def lacks_service(region: str, service: str) -> bool:
    """Whether a known Region does not have a service that executions call; of most services nothing is known."""
    return service in _OFFERED and region not in _OFFERED[service].split()


def lacks_instance_type(region: str, instance_type: str) -> bool:
    """Whether a known Region has no instances of the family of a type such as ml.g5.xlarge, for any use."""
    return instance_type.split(".")[1] in _read_facts()[region]["families"]


def lacks_lustre(region: str) -> bool:
    """Whether a known Region has neither of the deployment types of FSx for Lustre that the settings know."""
    return region in _WITHOUT_CURRENT_LUSTRE
