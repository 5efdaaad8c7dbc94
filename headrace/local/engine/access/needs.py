"""What a call needs besides the permission of its own name, as AWS documents it: a row for each rule, with its source.

SageMaker's operations are named here too, with the resources that their own permission is checked on: the engine knows
neither.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from botocore import xform_name

from headrace.local.engine.cloud import ACCOUNT, REGION

Request = Mapping[str, Any]

_REFERENCE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html"
_ROLES: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"
_STATE_LOGS: Final = "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
_TRACES: Final = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html"
_PASSING: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"
_VERBS: Final = ("Create", "Describe", "Delete", "Update", "Stop", "Start", "Invoke")
_IMAGE: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)")
_GRANT: Final = {"kms:GrantIsForAWSResource": "true"}


class Holder(Enum):
    """Who must have a permission: who calls, the role that is passed, or either of them."""

    CALLER = auto()
    ROLE = auto()
    EITHER = auto()


@dataclass(frozen=True, kw_only=True)
class Need:
    """One permission that a call needs.

    Args:
        action: Its name.
        resource: What it is needed on.
        context: The condition keys of the request, with their values.
        holder: Who needs it.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)
    holder: Holder = Holder.CALLER


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A permission that operations of a service need when their request says so.

    Args:
        operations: Which.
        actions: The permissions.
        find: The resources that they are needed on; none where the request needs none of them.
        holder: Who needs them.
        context: Their condition keys.
        source: Where AWS says so.
    """

    operations: tuple[str, ...]
    actions: tuple[str, ...]
    find: Callable[[Request], Iterable[str]]
    source: str
    holder: Holder = Holder.CALLER
    context: Mapping[str, Any] = field(default_factory=dict)


def list_needs(
    service: str,
    operation: str,
    request: Request,
    *,
    find_config: Callable[[str], Request] = lambda _: {},
    find_version: Callable[[str], Request] = lambda _: {},
) -> Iterator[Need]:
    """Everything that a request needs besides the permission that is named like it.

    Args:
        service: The service's endpoint name, such as sagemaker.
        operation: The operation.
        request: What it is asked.
        find_config: The endpoint configuration of a name.
        find_version: The container of a version of a model, by its name or ARN.
    """
    given = {**request, **(find_config(request["EndpointConfigName"]) if operation in _CHANGES else {})}
    if operation == "CreateModel":
        given |= unpack_versions(given, find_version)
    for rule in RULES.get(service, ()):
        if operation in rule.operations:
            for resource in rule.find(given):
                for action in rule.actions:
                    yield Need(action=action, resource=resource, context=rule.context, holder=rule.holder)


def unpack_versions(request: Request, find_version: Callable[[str], Request]) -> dict[str, Any]:
    """The containers of a model with what the versions that they name consist of.

    Args:
        request: The request for the model.
        find_version: The container of a version.
    """

    def unpack(container: Request) -> Request:
        version = container.get("ModelPackageName")
        return {**find_version(version), **container} if version else container

    unpacked: dict[str, Any] = {}
    if "PrimaryContainer" in request:
        unpacked["PrimaryContainer"] = unpack(request["PrimaryContainer"])
    if "Containers" in request:
        unpacked["Containers"] = [unpack(container) for container in request["Containers"]]
    return unpacked


def list_own_needs(operation: str, request: Request) -> Iterator[Need]:
    """The permission that is named like an operation of SageMaker, on each resource that it is checked on."""
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags or "TagKeys" in request:
        context["aws:TagKeys"] = [*tags, *request.get("TagKeys", [])]
    if operation in _JUDGING:
        context |= _describe_judgement(request)
    resources = [name_resource(operation, request), *_list_other_resources(operation, request)]
    for resource in resources:
        yield Need(action=f"sagemaker:{operation}", resource=resource, context=context)
    if tags and operation.startswith("Create"):
        yield Need(action="sagemaker:AddTags", resource=resources[0], context=context)


def name_resource(operation: str, request: Request) -> str:
    """The resource that an operation of SageMaker is about; all of them for a list."""
    if "ResourceArn" in request:
        return str(request["ResourceArn"])
    if operation == "UpdateModelPackage":
        return str(request["ModelPackageArn"])
    if operation == "CreateModelPackage":
        return _name_new_version(request)
    if operation == "BatchDescribeModelPackage":
        return str(request["ModelPackageArnList"][0])
    verb = next((verb for verb in _VERBS if operation.startswith(verb)), "")
    kind = operation.removeprefix(verb)
    name = request.get(f"{kind}Name")
    return name_sagemaker(kind, name) if verb and name else "*"


def _name_new_version(request: Request) -> str:
    """A version that is yet to be made, whose number stands for any."""
    group = request.get("ModelPackageGroupName")
    if not group:
        return name_sagemaker("ModelPackage", request.get("ModelPackageName", ""))
    return name_sagemaker("ModelPackage", f"{group.rpartition('/')[2]}/0")


def _describe_judgement(request: Request) -> dict[str, Any]:
    """The condition keys of what is said of a version.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    keys: dict[str, Any] = {}
    if "ModelApprovalStatus" in request:
        keys["sagemaker:ModelApprovalStatus"] = request["ModelApprovalStatus"]
    if properties := request.get("CustomerMetadataProperties"):
        keys |= {f"sagemaker:CustomerMetadataProperties/{name}": value for name, value in properties.items()}
    if removed := request.get("CustomerMetadataPropertiesToRemove"):
        keys["sagemaker:CustomerMetadataPropertiesToRemove"] = list(removed)
    return keys


def _list_other_resources(operation: str, request: Request) -> list[str]:
    if operation in _CHANGES:
        return [name_sagemaker("EndpointConfig", request.get("EndpointConfigName", ""))]
    if operation == "CreateModelPackage" and request.get("ModelPackageGroupName"):
        return [name_sagemaker("ModelPackageGroup", request["ModelPackageGroupName"])]
    if operation == "BatchDescribeModelPackage":
        return list(request["ModelPackageArnList"][1:])
    return []


def name_sagemaker(kind: str, name: str) -> str:
    """The ARN of a resource of SageMaker, which has names in lower case there; requests may name some by it."""
    if name.startswith("arn:"):
        return name.lower()
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{xform_name(kind, '-')}/{name.lower()}"


def list_roles(service: str, request: Request) -> list[str]:
    """The roles that a request passes to a service."""
    places = (request, request.get("Target", {}), *request.get("Targets", []))
    return [place[member] for place in places for member in _ROLE_MEMBERS.get(service, ()) if place.get(member)]


def find_volume_keys(request: Request) -> Iterable[str]:
    """The keys of the volumes that a job gets."""
    cluster = request.get("ProcessingResources", {}).get("ClusterConfig", {})
    places = (request.get("ResourceConfig", {}), cluster, request.get("TransformResources", {}))
    return (name_key(place["VolumeKmsKeyId"]) for place in places if "VolumeKmsKeyId" in place)


def _find_output_keys(request: Request) -> Iterable[str]:
    places = (request.get(f"{place}OutputConfig", {}) for place in ("Processing", "Transform"))
    outputs = (request.get("OutputDataConfig", {}), request.get("TransformOutput", {}), *places)
    return (name_key(output["KmsKeyId"]) for output in outputs if output.get("KmsKeyId"))


def _find_config_key(request: Request) -> Iterable[str]:
    return [name_key(request["KmsKeyId"])] if request.get("KmsKeyId") else []


def list_logging_needs(group: str) -> list[Need]:
    """What the role of a function needs for its log.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:any"
    return [Need(action=f"logs:{verb}", resource=stream) for verb in ("CreateLogStream", "PutLogEvents")]


def name_key(key: str) -> str:
    """The ARN of a key that a request names in one of the ways there are."""
    if key.startswith("arn:"):
        return key
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{key if key.startswith('alias/') else f'key/{key}'}"


def _find_repositories(request: Request) -> Iterable[str]:
    algorithm, application = request.get("AlgorithmSpecification", {}), request.get("AppSpecification", {})
    containers = [request.get("PrimaryContainer", {}), *request.get("Containers", [])]
    uris = [algorithm.get("TrainingImage"), application.get("ImageUri"), *(c.get("Image") for c in containers)]
    for uri in filter(None, uris):
        image = _IMAGE.match(uri)
        # Whether others let their container images be pulled is not known here.
        if image and image["account"] == ACCOUNT:
            yield f"arn:aws:ecr:{image['region']}:{ACCOUNT}:repository/{image['name']}"


def _find_network(request: Request) -> Mapping[str, Any]:
    network: Mapping[str, Any] = request.get("NetworkConfig", {}).get("VpcConfig") or request.get("VpcConfig") or {}
    return network


def _find_interfaces(request: Request) -> Iterable[str]:
    return [f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-0"] if _find_network(request) else []


def _find_places(request: Request) -> Iterable[str]:
    network = _find_network(request)
    for kind, member in (("subnet", "Subnets"), ("security-group", "SecurityGroupIds")):
        yield from (f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{name}" for name in network.get(member, []))


def _find_everything_in_network(request: Request) -> Iterable[str]:
    return ["*"] if _find_network(request) else []


def _find_state_logs(request: Request) -> Iterable[str]:
    logging = request.get("loggingConfiguration", {})
    return ["*"] if logging.get("destinations") and logging.get("level", "OFF") != "OFF" else []


def _find_traces(request: Request) -> Iterable[str]:
    return ["*"] if request.get("tracingConfiguration", {}).get("enabled") else []


_JOBS: Final = ("CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob", "CreateHyperParameterTuningJob")
_WITH_IMAGES: Final = (*_JOBS[:2], "CreateModel")
_IN_NETWORKS: Final = ("CreateTrainingJob", "CreateModel")
_CHANGES: Final = ("CreateEndpoint", "UpdateEndpoint")
_JUDGING: Final = ("CreateModelPackage", "UpdateModelPackage")
# Where requests have the role that they pass.
_ROLE_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sagemaker": ("RoleArn", "ExecutionRoleArn"),
    "states": ("roleArn",),
    "lambda": ("Role",),
    "events": ("RoleArn",),
    "scheduler": ("RoleArn",),
}
_ON_INTERFACES: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_LOOKING_AT_NETWORKS: Final = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def _of_role(operations: tuple[str, ...], actions: tuple[str, ...], find: Callable[[Request], Iterable[str]]) -> Rule:
    """What the role that a request names must be allowed, as the developer's guide lists it."""
    return Rule(operations=operations, actions=actions, find=find, holder=Holder.ROLE, source=_ROLES)


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "sagemaker": (
        Rule(
            operations=(*_JOBS, "CreateModel", "CreateNotebookInstance"),
            actions=("iam:PassRole",),
            find=lambda request: list_roles("sagemaker", request),
            context={"iam:PassedToService": "sagemaker.amazonaws.com"},
            source=_PASSING,
        ),
        Rule(
            operations=_CHANGES,
            actions=("kms:CreateGrant",),
            find=_find_config_key,
            context=_GRANT,
            source=_REFERENCE,
        ),
        Rule(operations=_CHANGES, actions=("kms:DescribeKey",), find=_find_config_key, source=_REFERENCE),
        Rule(
            operations=_JOBS,
            actions=("kms:CreateGrant",),
            find=find_volume_keys,
            context=_GRANT,
            holder=Holder.EITHER,
            source=_REFERENCE,
        ),
        Rule(
            operations=_JOBS,
            actions=("kms:Encrypt",),
            find=_find_output_keys,
            holder=Holder.ROLE,
            source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html",
        ),
        Rule(
            operations=_JOBS,
            actions=("kms:GenerateDataKey",),
            find=_find_output_keys,
            holder=Holder.ROLE,
            source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
        ),
        _of_role(
            _WITH_IMAGES,
            ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            _find_repositories,
        ),
        _of_role(
            _WITH_IMAGES,
            ("ecr:GetAuthorizationToken",),
            lambda request: ["*"] if list(_find_repositories(request)) else [],
        ),
        _of_role(_IN_NETWORKS, ("ec2:CreateNetworkInterface",), _find_places),
        _of_role(_IN_NETWORKS, _ON_INTERFACES, _find_interfaces),
        _of_role(_IN_NETWORKS, _LOOKING_AT_NETWORKS, _find_everything_in_network),
        # "Don't scope in the policy with any conditions or resource filters": for processing jobs alone.
        _of_role(("CreateProcessingJob",), (*_ON_INTERFACES, *_LOOKING_AT_NETWORKS), _find_everything_in_network),
    ),
    "states": (
        Rule(
            operations=("CreateStateMachine", "UpdateStateMachine"),
            actions=(
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ),
            find=_find_state_logs,
            holder=Holder.ROLE,
            source=_STATE_LOGS,
        ),
        Rule(
            operations=("CreateStateMachine", "UpdateStateMachine"),
            actions=(
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ),
            find=_find_traces,
            holder=Holder.ROLE,
            source=_TRACES,
        ),
    ),
}
