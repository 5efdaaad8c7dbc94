"""The quotas of Service Quotas that this project meets, by their names there; standard library only."""

from enum import StrEnum
from typing import Final

SAGEMAKER: Final = "sagemaker"
LAMBDA: Final = "lambda"
COMPREHEND: Final = "comprehend"
CONCURRENT_EXECUTIONS: Final = "Concurrent executions"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONCURRENT_EXECUTIONS_CODE: Final = "L-B99A9384"
DEFAULT_CONCURRENT_EXECUTIONS: Final = 1_000


class Usage(StrEnum):
    """What SageMaker counts the instances of a type for; each type has a quota for each use."""

    TRAINING = "training job usage"
    SPOT_TRAINING = "spot training job usage"
    PROCESSING = "processing job usage"
    TRANSFORM = "transform job usage"
    ENDPOINT = "endpoint usage"
    NOTEBOOK = "notebook instance usage"


# How many requests at once the serverless endpoints of an account may be made for, together.
SERVERLESS_CONCURRENCY: Final = "Maximum total concurrency that can be allocated across all serverless endpoints"

# What an endpoint of Comprehend's is counted by: itself, its inference units, and those of all endpoints together.
# https://docs.aws.amazon.com/general/latest/gr/comprehend.html
ACTIVE_ENDPOINTS: Final = "Endpoints max active endpoints"
ENDPOINT_UNITS: Final = "Endpoints max inference units per endpoint"
ACCOUNT_UNITS: Final = "Endpoints max inference units per account"
COMPREHEND_QUOTAS: Final = (ACTIVE_ENDPOINTS, ENDPOINT_UNITS, ACCOUNT_UNITS)


def find_service(quota: str) -> str:
    """The code of the service that has the quota of this name.

    Example:
        >>> find_service("Endpoints max active endpoints")
        'comprehend'
    """
    if quota in COMPREHEND_QUOTAS:
        return COMPREHEND
    return LAMBDA if quota == CONCURRENT_EXECUTIONS else SAGEMAKER


def name_quota(instance_type: str, usage: Usage) -> str:
    """The name of the quota for the instances of a type such as ml.m5.large.

    Example:
        >>> name_quota("ml.m5.large", Usage.TRAINING)
        'ml.m5.large for training job usage'
    """
    return f"{instance_type} for {usage}"
