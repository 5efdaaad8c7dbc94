"""What deleted stacks have kept, as CloudFormation's record of them and the tags of what is there say."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from headrace import contract
from headrace.deletion.clients import make_client
from headrace.deletion.data import HOLDERS, is_there
from headrace.deletion.standing import GONE, Resource, read_template
from headrace.inventory import Item, Maker

STACK_TAG: Final = "aws:cloudformation:stack-name"
RESOURCE_TAG: Final = "aws:cloudformation:logical-id"
_STACK_ID_TAG: Final = "aws:cloudformation:stack-id"
# What ARNs call a service, and CloudFormation's types its resources.
_SERVICES: Final[Mapping[str, str]] = {
    "cognito-idp": "Cognito",
    "ecr": "ECR",
    "elasticfilesystem": "EFS",
    "fsx": "FSx",
    "kms": "KMS",
    "logs": "Logs",
    "s3": "S3",
    "sagemaker": "SageMaker",
}
_TYPE_FILTERS: Final = (
    "cognito-idp:userpool",
    "ecr:repository",
    "elasticfilesystem:file-system",
    "fsx:file-system",
    "kms:key",
    "logs:log-group",
    "s3",
    "sagemaker:model-package-group",
    "sagemaker:notebook-instance",
)


def list_kept(cloudformation: Any, stack_id: str) -> dict[str, Resource]:
    """What a stack has let go without deleting it, by logical id; of several, the latest."""
    kept: dict[str, Resource] = {}
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            if event["ResourceStatus"] == "DELETE_SKIPPED":
                name, kind = event["LogicalResourceId"], event["ResourceType"]
                kept.setdefault(name, Resource(name, kind, event["PhysicalResourceId"]))
    return kept


def find_kept(environment: str, taken: Collection[str]) -> list[Item]:
    """What earlier stacks of an environment have kept, and is still there.

    CloudFormation knows of deleted stacks for ninety days; after them, tags say whose something is.

    Args:
        environment: The environment.
        taken: The names of what its stacks have, or use as somebody else's: that was kept by none.
    """
    found = {
        (item.kind, item.name): item
        for item in (*_list_recorded(environment), *_list_tagged(environment))
        if item.kind in HOLDERS and item.name not in taken
    }
    return [item for item in found.values() if is_there(item.kind, item.name)]


def list_tagged(
    filters: Collection[Mapping[str, Any]], kinds: Collection[str] = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """The ARNs and the tags of what has some tags."""
    pages = make_client("resourcegroupstaggingapi").get_paginator("get_resources")
    limits = {"ResourceTypeFilters": list(kinds)} if kinds else {}
    for page in pages.paginate(TagFilters=list(filters), **limits):
        for resource in page["ResourceTagMappingList"]:
            yield resource["ResourceARN"], {tag["Key"]: tag["Value"] for tag in resource["Tags"]}


def read_id(arn: str) -> str:
    """What CloudFormation calls the resource of an ARN that ends in a name, in KIND/NAME, or in log-group:NAME."""
    tail = arn.split(":", 5)[5]
    for holder in HOLDERS.values():
        if holder.arn and tail.startswith(holder.arn):
            return arn if ":sagemaker:" in arn else tail.removeprefix(holder.arn)
    return tail


def _list_recorded(environment: str) -> Iterator[Item]:
    """What CloudFormation knows that deleted stacks have let go, unless another's has taken it over since."""
    cloudformation = make_client("cloudformation")
    prefix = contract.stack_name(environment, "")
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=[GONE])
    owners: dict[tuple[str, str], str] | None = None
    for stack in (stack for page in pages for stack in page["StackSummaries"]):
        if not stack["StackName"].startswith(prefix):
            continue
        template = read_template(cloudformation, stack["StackId"])
        if contract.belongs_to(environment, template):
            owners = _list_owners() if owners is None else owners
            for resource in list_kept(cloudformation, stack["StackId"]).values():
                owner = owners.get((resource.kind, resource.id), stack["StackId"])
                if owner == stack["StackId"] or _read_own(cloudformation, environment, owner) is not None:
                    yield _keep(resource, stack["StackName"], template)


def _list_owners() -> dict[tuple[str, str], str]:
    """The stack that has made or taken over what may hold data, as the tags say, by type and id."""
    tagged = list_tagged([{"Key": _STACK_ID_TAG}], _TYPE_FILTERS)
    return {(_find_kind(arn), read_id(arn)): tags[_STACK_ID_TAG] for arn, tags in tagged}


def _read_own(cloudformation: Any, environment: str, stack_id: str) -> Any | None:
    """The template of a stack of an environment, empty where CloudFormation knows it no more; None of another's."""
    template = read_template(cloudformation, stack_id)
    return template if not template or contract.belongs_to(environment, template) else None


def _keep(resource: Resource, stack: str, template: Mapping[str, Any]) -> Item:
    declared: Mapping[str, Any] = template.get("Resources", {}).get(resource.logical_id, {})
    return Item(
        kind=resource.kind,
        name=resource.id,
        maker=Maker.STACK,
        stack=stack,
        logical_id=resource.logical_id,
        properties=declared.get("Properties", {}),
        policy="Retain",
    )


def _list_tagged(environment: str) -> Iterator[Item]:
    """What a stack has made and bears the tags of the environment, unless CloudFormation knows that it is another's."""
    cloudformation = make_client("cloudformation")
    for arn, tags in list_tagged(_filter_environment(environment), _TYPE_FILTERS):
        # Somebody may tag alike what an environment only uses.
        if _STACK_ID_TAG not in tags:
            continue
        template = _read_own(cloudformation, environment, tags[_STACK_ID_TAG])
        if template is not None:
            resource = Resource(tags.get(RESOURCE_TAG, ""), _find_kind(arn), read_id(arn))
            yield _keep(resource, tags.get(STACK_TAG, ""), template)


def _filter_environment(environment: str) -> list[dict[str, Any]]:
    """As the settings tag everything, unless they say otherwise."""
    return [{"Key": key, "Values": [value]} for key, value in contract.default_tags(environment).items()]


def _find_kind(arn: str) -> str:
    service, tail = arn.split(":", 5)[2], arn.split(":", 5)[5]
    for kind, holder in HOLDERS.items():
        # An ARN of a bucket is its name.
        is_of = tail.startswith(holder.arn) if holder.arn else "/" not in tail
        if kind.split("::")[1] == _SERVICES.get(service) and is_of:
            return kind
    return ""
