"""What AWS's pages ask of the role of every job and model without saying that a call is refused for lack of it.

What lacks them runs all the same, perhaps without its metrics or its log.
"""

from collections.abc import Iterator
from typing import Final

from headrace.local.engine.access.needs import Holder, Need, Request, find_volume_keys
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.s3.addresses import S3Address

# SageMaker's name for what an operation makes, in log groups and in the namespaces of metrics.
_KINDS: Final = {
    "CreateModel": "Endpoints",
    "CreateProcessingJob": "ProcessingJobs",
    "CreateTrainingJob": "TrainingJobs",
}


def list_minimum_needs(operation: str, request: Request) -> Iterator[Need]:
    """What the role that an operation passes should be allowed.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol-jobs.html
    """
    kind = _KINDS.get(operation)
    if kind is None:
        return
    namespace = f"/aws/sagemaker/{kind}"
    yield _ask("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace})
    yield _ask("logs:DescribeLogStreams", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{namespace}:log-stream:")
    for key in find_volume_keys(request):
        yield _ask("kms:DescribeKey", key)
    for container in (request.get("PrimaryContainer", {}), *request.get("Containers", [])):
        if address := container.get("ModelDataUrl"):
            place = S3Address.parse_uri(address)
            yield _ask("s3:ListBucket", f"arn:aws:s3:::{place.bucket}", {"s3:prefix": place.key})


def _ask(action: str, resource: str, context: dict[str, str] | None = None) -> Need:
    return Need(action=action, resource=resource, context=context or {}, holder=Holder.ROLE)
