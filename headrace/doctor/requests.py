"""The requests that read what an account and its Region have; headrace/doctor/permissions.py lists them all."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from headrace import contract
from headrace.absence import is_absence
from headrace.assemblies.reading import NOT_THERE
from headrace.doctor.account import Concurrency, ContainerImage, Identity, Quota, Stack
from headrace.doctor.asking import NotSeen, explain_refusal, find_code, is_denied
from headrace.doctor.needs import Bootstrap
from headrace.quotas import find_service

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 10
_ATTEMPTS: Final = 3
_ENDPOINT: Final = "AWS_ENDPOINT_URL"
_S3_CONTROL: Final = "s3control"


class Clients:
    """AWS's clients for questions: impatient ones.

    Args:
        session: Whose credentials they use.
        region: The Region.
    """

    def __init__(self, session: boto3.Session, region: str) -> None:
        self.region = region
        self._session = session
        # A session of boto3's makes one client at a time.
        self._opening = threading.Lock()

    def open(self, service: str) -> Any:
        """A client of a service."""
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            # S3 Control puts the account's number before the host, a name that no resolver knows.
            proxies={"http": local} if (local := os.environ.get(_ENDPOINT)) and service == _S3_CONTROL else None,
        )
        with self._opening:
            make: Any = self._session.client
            return make(service, region_name=self.region, config=config)


def is_local() -> bool:
    """Whether the AWS clients of this process lead to a local cloud."""
    return bool(os.environ.get(_ENDPOINT))


def read_identity(clients: Clients) -> Identity:
    """Whose account it is.

    Raises:
        BotoCoreError: If there are no credentials, or they cannot be used.
        ClientError: If AWS refuses them.
    """
    answer = clients.open("sts").get_caller_identity()
    return Identity(answer["Account"], answer["Arn"], clients.region, is_local())


def read_stacks(clients: Clients, environment: str) -> dict[str, Stack]:
    """The stacks of an environment by name; others may have given theirs a name that begins like ours."""
    client = clients.open("cloudformation")
    pages = client.get_paginator("describe_stacks").paginate()
    return {
        stack["StackName"]: Stack(
            stack["StackStatus"], {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        )
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(contract.stack_name(environment, ""))
        and stack["StackStatus"] not in NOT_THERE
        and _belongs_to(client, environment, stack["StackName"])
    }


def _belongs_to(client: Any, environment: str, stack: str) -> bool:
    try:
        return contract.belongs_to(environment, client.get_template(StackName=stack)["TemplateBody"])
    except ClientError as error:
        if is_absence(error):
            return False
        raise


def read_quotas(clients: Clients, names: Iterable[str]) -> dict[str, Quota]:
    """The quotas of these names; AWS has no other way to their codes than to list them all.

    Some have no value of the account's own: for them, AWS's default counts.
    """
    wanted = set(names)
    client = clients.open("service-quotas")
    found: dict[str, Quota] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        missing = wanted - found.keys()
        for service in sorted({find_service(name) for name in missing}):
            found |= {name: quota for name, quota in _list_quotas(client, operation, service) if name in missing}
    return found


def _list_quotas(client: Any, operation: str, service: str) -> Iterator[tuple[str, Quota]]:
    """None of a service that the Region does not have."""
    try:
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            for quota in page["Quotas"]:
                if "Value" in quota:
                    yield quota["QuotaName"], Quota(quota["QuotaCode"], quota["Value"])
    except ClientError as error:
        if find_code(error) != "NoSuchResourceException":
            raise


def read_bootstrap(clients: Clients, bootstrap: Bootstrap) -> int:
    """The version of the stack that `cdk bootstrap` has made; 0 where there is none."""
    try:
        answer = clients.open("ssm").get_parameter(Name=bootstrap.parameter)
    except ClientError as error:
        if find_code(error) == "ParameterNotFound":
            return 0
        raise
    return int(answer["Parameter"]["Value"])


def read_concurrency(clients: Clients) -> Concurrency:
    """How many requests at once Lambda serves."""
    limit = clients.open("lambda").get_account_settings()["AccountLimit"]
    return Concurrency(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])


def read_zones(clients: Clients) -> frozenset[str]:
    """The zones of the Region that are not local zones."""
    answer = clients.open("ec2").describe_availability_zones()
    return frozenset(
        zone["ZoneName"] for zone in answer["AvailabilityZones"] if zone.get("ZoneType") == "availability-zone"
    )


def read_default_zones(clients: Clients) -> tuple[str, ...]:
    """The zones with a default subnet, which are those that CloudFormation lists."""
    answer = clients.open("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    return tuple(sorted({subnet["AvailabilityZone"] for subnet in answer["Subnets"]}))


def read_offers(clients: Clients, types: Iterable[str]) -> dict[str, frozenset[str]]:
    """The zones in which EC2 has instances of each of these types, such as m5.large."""
    wanted = sorted(set(types))
    zones: dict[str, set[str]] = {name: set() for name in wanted}
    if wanted:
        pages = (
            clients.open("ec2")
            .get_paginator("describe_instance_type_offerings")
            .paginate(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": wanted}])
        )
        for page in pages:
            for offer in page["InstanceTypeOfferings"]:
                zones.setdefault(offer["InstanceType"], set()).add(offer["Location"])
    return {name: frozenset(found) for name, found in zones.items()}


def has_object_lambda(clients: Clients, identity: Identity) -> bool:
    """Whether the account has an access point for S3 Object Lambda."""
    client = clients.open(_S3_CONTROL)
    answer = client.list_access_points_for_object_lambda(AccountId=identity.number)
    return bool(answer.get("ObjectLambdaAccessPointList"))


def writes_api_logs(clients: Clients) -> bool:
    """Whether the account has given API Gateway a role in the Region by which it writes logs."""
    return bool(clients.open("apigateway").get_account().get("cloudwatchRoleArn"))


def has_container_image(clients: Clients, image: ContainerImage) -> bool:
    """Whether ECR has a container image."""
    try:
        clients.open("ecr").describe_images(
            registryId=image.registry, repositoryName=image.repository, imageIds=[{"imageTag": image.tag}]
        )
    except ClientError as error:
        if find_code(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return True


def check_bucket(clients: Clients, name: str) -> str | NotSeen:
    """What is wrong with a bucket that must exist; empty for nothing."""
    try:
        answer = clients.open("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if find_code(error) == "404":
            return "there is no such bucket"
        region = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return _explain_elsewhere(region, clients) or _take_denial(error)
    return _explain_elsewhere(answer.get("BucketRegion"), clients)


def check_key(clients: Clients, arn: str) -> str | NotSeen:
    """What is wrong with a KMS key that must exist; empty for nothing."""
    try:
        key: Mapping[str, Any] = clients.open("kms").describe_key(KeyId=arn)["KeyMetadata"]
    except ClientError as error:
        return "there is no such key" if find_code(error) == "NotFoundException" else _take_denial(error)
    return "" if key["KeyState"] == "Enabled" else f"the key is not enabled, but {key['KeyState']}"


def check_subnet(clients: Clients, name: str) -> str | NotSeen:
    """What is wrong with a subnet that must exist; empty for nothing."""
    try:
        clients.open("ec2").describe_subnets(SubnetIds=[name])
    except ClientError as error:
        return "there is no such subnet" if find_code(error) == "InvalidSubnetID.NotFound" else _take_denial(error)
    return ""


def check_boundary(clients: Clients, arn: str) -> str | NotSeen:
    """What is wrong with a policy that bounds roles; empty for nothing."""
    try:
        clients.open("iam").get_policy(PolicyArn=arn)
    except ClientError as error:
        return "there is no such policy" if find_code(error) == "NoSuchEntity" else _take_denial(error)
    return ""


def _explain_elsewhere(region: str | None, clients: Clients) -> str:
    is_elsewhere = region and region != clients.region and not is_local()
    return f"the bucket is in {region}, not in {clients.region}" if is_elsewhere else ""


def _take_denial(error: ClientError) -> NotSeen:
    """A denial as an answer that is not known; anything else goes on."""
    if is_denied(error):
        return NotSeen(explain_refusal(error))
    raise error
